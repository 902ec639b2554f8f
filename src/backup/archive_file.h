// The tar of a backup, with a checksum of every file in it. Private to this room. An object belongs
// to one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/fd.h"

namespace renga::backup {

// Names of the first and the last file.
inline constexpr std::string_view head_name = "renga-backup";
inline constexpr std::string_view checksums_name = "checksums";

class ArchiveWriter {
 public:
  // Makes `path` (mode 0600), which must not be there: Kind::invalid.
  static Result<std::unique_ptr<ArchiveWriter>> create(const std::filesystem::path& path);
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  void add_text(const std::string& name, std::string_view content);
  // Returns its size; nothing when the file is not there (any more).
  std::optional<std::int64_t> add_file(const std::string& name, const std::filesystem::path& file);
  // Adds the checksums, and syncs.
  void finish();

 private:
  struct State;
  explicit ArchiveWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Reads a whole archive. `open` gets the name and size of each file but the last and says where its
// bytes go (a descriptor), or refuses it; nothing counts before this has returned without an error.
// Nothing is synced.
Result<void> read_archive(
    const std::filesystem::path& path,
    const std::function<Result<os::Fd>(const std::string& name, std::int64_t size)>& open,
    const std::function<Result<void>(const std::string& name, const std::string& sha256)>& done);

}  // namespace renga::backup

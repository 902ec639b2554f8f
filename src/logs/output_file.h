// OutputFile: one stream's file, as it grows. Private to this room.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace renga::logs {

// Shared by whoever appends and whoever follows; safe from any thread.
class OutputFile {
 public:
  // Nothing when there is no stream of this name. Throws when the disk fails.
  static std::optional<std::filesystem::path> path_of(const std::filesystem::path& directory,
                                                      const std::string& id);

  OutputFile(std::filesystem::path directory, std::string id, std::int64_t most_bytes);

  void append(std::string_view bytes);
  void finish();
  // Followers end as if it were finished.
  void remove();

  struct Reach {
    std::int64_t size = 0;
    bool ended = false;
  };
  Reach reach();
  // Waits a second at most for more than `size` bytes, or the end.
  Reach wait(std::int64_t size);
  // At most `size` bytes from `offset` on.
  std::string read(std::int64_t offset, std::size_t size);

 private:
  void write(std::string_view bytes);

  const std::filesystem::path directory_;
  const std::string id_;
  const std::int64_t most_bytes_;
  os::Fd file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t size_ = 0;
  bool ended_ = false;
};

}  // namespace renga::logs

// What lies in DIR/slugs, by its names and times. Private to this room.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/report.h"
#include "releases/object_files.h"
#include "releases/slugs.h"

namespace renga::releases {

inline constexpr std::string_view objects_name = "objects";
inline constexpr std::string_view export_suffix = ".export.tar.gz";
inline constexpr std::chrono::minutes export_kept{60};
inline constexpr const char* mark = "made";          // with the boot's id in it, beside ./app
inline constexpr const char* old_mark = "unpacked";  // an older server's

// By the file system's own clock; false for what is not there.
inline bool is_fresh(const std::filesystem::path& path, std::chrono::seconds kept) {
  std::error_code gone;
  const auto time = std::filesystem::last_write_time(path, gone);
  return !gone && time > std::filesystem::file_time_type::clock::now() - kept;
}

inline bool touch(const std::filesystem::path& path) {
  return utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0;
}

inline void remove_tree(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) report("slugs", fmt::format("cannot remove {}: {}", path.string(), error.message()));
}

// A file or directory that is being made, known to collect_garbage() as such, and gone with this
// object unless it was moved away.
class Slugs::Temporary {
 public:
  explicit Temporary(Slugs& slugs)
      : slugs_(slugs), name_(unfinished_name()), path(slugs.directory_ / name_) {
    slugs_.temporaries_.lock()->insert(name_);
  }
  ~Temporary() {
    remove_tree(path);
    slugs_.temporaries_.lock()->erase(name_);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

 private:
  Slugs& slugs_;
  const std::string name_;

 public:
  const std::filesystem::path path;
};

}  // namespace renga::releases

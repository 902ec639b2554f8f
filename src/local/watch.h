// Whether files below a directory changed (inotify). What programs write while they run is left
// out: .git, node_modules, __pycache__, .venv, log, tmp and their like, *.log, *.pyc, editors' swap
// files, SQLite databases.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/fd.h"

namespace renga::local {

class Watch {
 public:
  static constexpr std::size_t most_directories = 8192;

  // Kind::too_large: more directories than that. Throws when the kernel refuses a watch.
  static Result<Watch> of(const std::filesystem::path& directory);

  int fd() const { return fd_.get(); }
  // The last file that changed since the last call; empty when none did that counts.
  std::string changed();

  static bool is_ignored(std::string_view name);

 private:
  Watch() = default;
  Result<void> add(const std::filesystem::path& directory);

  os::Fd fd_;
  std::map<int, std::filesystem::path> directories_;  // by watch
};

}  // namespace renga::local

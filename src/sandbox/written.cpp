#include "sandbox/written.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <fstream>
#include <map>
#include <set>
#include <string>

#include "os/disk_use.h"

namespace renga::sandbox {
namespace {

using File = std::pair<dev_t, ino_t>;
using Files = std::map<File, std::int64_t>;  // and what they take

constexpr std::string_view removed_mark = " (deleted)";

// Links in /proc lead to files that have no name any more. Nothing is opened.
void note_removed(const std::filesystem::path& link, Files& files) {
  struct stat status {};
  struct statfs system {};
  if (stat(link.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 0 ||
      statfs(link.c_str(), &system) != 0 || system.f_type == TMPFS_MAGIC ||
      system.f_type == HUGETLBFS_MAGIC)
    return;
  files.emplace(File{status.st_dev, status.st_ino}, std::int64_t{status.st_blocks} * 512);
}

Files removed_files_of(pid_t pid) {
  const auto process = std::filesystem::path("/proc") / std::to_string(pid);
  Files files;
  std::error_code gone;
  for (std::filesystem::directory_iterator entry(process / "fd", gone), end; !gone && entry != end;
       entry.increment(gone))
    note_removed(entry->path(), files);
  // "7f21-7f22 rw-s 00000000 00:2f 77   /app/x (deleted)", see proc(5).
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);)
    if (line.ends_with(removed_mark))
      note_removed(process / "map_files" / line.substr(0, line.find(' ')), files);
  return files;
}

}  // namespace

std::int64_t written(const std::filesystem::path& upper, const std::vector<pid_t>& processes,
                     const std::function<bool(pid_t)>& holds, std::int64_t enough) {
  auto bytes = os::disk_use(upper, enough);
  std::set<File> seen;
  for (const auto pid : processes) {
    if (bytes > enough) break;
    const auto files = removed_files_of(pid);
    if (files.empty() || !holds(pid)) continue;
    for (const auto& [file, size] : files)
      if (seen.insert(file).second && bytes != INT64_MAX) bytes += size;
  }
  return bytes;
}

}  // namespace renga::sandbox

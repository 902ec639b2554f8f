#include "os/disk_use.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <memory>
#include <set>

#include "os/fd.h"

namespace renga::os {
namespace {

using namespace std::chrono_literals;

constexpr int deepest = 300;
constexpr auto longest_unasked = 5s;

class Counter {
 public:
  explicit Counter(std::int64_t enough) : enough_(enough) {}

  void count(Fd directory, int depth) {
    if (depth > deepest) {
      bytes = INT64_MAX;
      return;
    }
    const std::unique_ptr<DIR, decltype([](DIR* open) { closedir(open); })> stream(
        fdopendir(directory.get()));
    if (!stream) return;
    const int open = directory.release();  // the stream's
    while (const auto* entry = readdir(stream.get())) {
      if (bytes > enough_) return;
      const std::string_view name = entry->d_name;
      struct stat status {};
      if (name == "." || name == ".." ||
          fstatat(open, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        continue;
      if (S_ISDIR(status.st_mode)) {
        Fd below(openat(open, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (below) count(std::move(below), depth + 1);
      } else if (status.st_nlink > 1 && !seen_.emplace(status.st_dev, status.st_ino).second) {
        continue;
      }
      if (bytes != INT64_MAX) bytes += std::int64_t{status.st_blocks} * 512;
    }
  }

  std::int64_t bytes = 0;

 private:
  const std::int64_t enough_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

std::int64_t free_bytes(const std::filesystem::path& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_bfree * disk.f_frsize);
}

}  // namespace

std::int64_t disk_use(const std::filesystem::path& top, std::int64_t enough) {
  Counter counter(enough);
  Fd directory(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory) counter.count(std::move(directory), 0);
  return counter.bytes;
}

DiskWatch::DiskWatch(std::filesystem::path top, std::int64_t limit)
    : top_(std::move(top)),
      limit_(limit),
      free_(free_bytes(top_)),
      next_(std::chrono::steady_clock::now()) {}

bool DiskWatch::over() {
  const auto started = std::chrono::steady_clock::now();
  if (started < next_) return false;
  const auto free = free_bytes(top_);
  const bool may_be_near = free_ - free >= (limit_ - used_) / 2;
  if (!may_be_near && started < next_ + longest_unasked) return false;
  used_ = disk_use(top_, limit_);
  free_ = free;
  const auto ended = std::chrono::steady_clock::now();
  next_ = ended + 4 * (ended - started);
  return used_ > limit_;
}

}  // namespace renga::os

#include "os/disk_use.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>

#include "os/fd.h"

namespace renga::os {
namespace {

constexpr int deepest = 300;
constexpr std::int64_t least = 4096;

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
      if (bytes != INT64_MAX) bytes += std::max(std::int64_t{status.st_blocks} * 512, least);
    }
  }

  std::int64_t bytes = 0;

 private:
  const std::int64_t enough_;
  std::set<std::pair<dev_t, ino_t>> seen_;
};

}  // namespace

std::int64_t disk_use(const std::filesystem::path& top, std::int64_t enough) {
  Counter counter(enough);
  Fd directory(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (directory) counter.count(std::move(directory), 0);
  return counter.bytes;
}

bool nearly_full(const std::filesystem::path& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return false;
  const auto total = disk.f_blocks * disk.f_frsize;
  const auto reserve = std::min<std::uint64_t>(total / 50, 1ULL << 30);
  return disk.f_bavail * disk.f_frsize < reserve ||
         (disk.f_files > 0 && disk.f_favail < disk.f_files / 50);
}

std::int64_t disk_size(const std::filesystem::path& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_blocks * disk.f_frsize);
}

std::int64_t disk_free(const std::filesystem::path& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_bfree * disk.f_frsize);
}

DiskWatch::DiskWatch(std::filesystem::path top, std::int64_t limit, Count count,
                     std::chrono::seconds longest_unasked)
    : top_(std::move(top)),
      limit_(limit),
      count_(count ? std::move(count)
                   : [this](std::int64_t enough) { return disk_use(top_, enough); }),
      longest_unasked_(longest_unasked),
      free_(disk_free(top_)),
      next_(std::chrono::steady_clock::now()),
      unasked_(next_) {}

bool DiskWatch::over(std::int64_t free) {
  const auto started = std::chrono::steady_clock::now();
  if (started < next_) return false;
  const bool may_be_near = free_ - free >= (limit_ - used_) / 2;
  if (!may_be_near && started < unasked_) return false;
  used_ = count_(limit_);
  free_ = free;
  const auto ended = std::chrono::steady_clock::now();
  next_ = ended + 4 * (ended - started);
  unasked_ = ended + std::max<std::chrono::steady_clock::duration>(longest_unasked_,
                                                                   100 * (ended - started));
  return used_ > limit_;
}

}  // namespace renga::os

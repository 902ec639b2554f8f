// What a tree takes of the disk, and a limit for one that somebody is writing to. Where file
// systems have no quotas for directories (most have not), counting is what is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>

namespace renga::os {

// Bytes on the disk below `top`, at least 4 KiB for each thing that has a name: disks have room for
// so many only. A file with several names counts once, no link is followed, and what disappears
// meanwhile does not count. Counting stops past `enough`. More than 300 directories inside each
// other are more than any limit.
std::int64_t disk_use(const std::filesystem::path& top, std::int64_t enough = INT64_MAX);

// Whether the disk has less left than everybody on it needs to go on: a fiftieth, and no more than
// 1 GB; or hardly room for another file.
bool nearly_full(const std::filesystem::path& path);
// Of the whole file system; 0 when it cannot be told.
std::int64_t disk_size(const std::filesystem::path& path);
std::int64_t disk_free(const std::filesystem::path& path);

// To be asked over and over. It counts only when the file system's free space says that the limit
// may be near, or `longest_unasked` has gone by, and never for more than a fifth of the time, nor
// for more than a hundredth while the disk says nothing: so a writer gets past the limit by what
// the disk takes within moments. What disk_use() does not see, a file that was removed while
// somebody has it open, `count` may.
class DiskWatch {
 public:
  using Count = std::function<std::int64_t(std::int64_t enough)>;
  DiskWatch(std::filesystem::path top, std::int64_t limit, Count count = {},
            std::chrono::seconds longest_unasked = std::chrono::seconds(5));
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;
  bool over() { return over(disk_free(top_)); }
  // For who has many on one disk, and knows what is free on it.
  bool over(std::int64_t free);

 private:
  const std::filesystem::path top_;
  const std::int64_t limit_;
  const Count count_;
  const std::chrono::seconds longest_unasked_;
  std::int64_t used_ = 0;  // when it was counted last
  std::int64_t free_;      // on the whole file system, then
  std::chrono::steady_clock::time_point next_, unasked_;
};

}  // namespace renga::os

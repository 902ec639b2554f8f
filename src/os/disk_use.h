// What a tree takes of the disk, and a limit for one that somebody is writing to. Where file
// systems have no quotas for directories (most have not), counting is what is left.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

namespace renga::os {

// Bytes on the disk below `top`: a file with several names counts once, no link is followed, and
// what disappears meanwhile does not count. Counting stops past `enough`. More than 300 directories
// inside each other are more than any limit.
std::int64_t disk_use(const std::filesystem::path& top, std::int64_t enough = INT64_MAX);

// To be asked over and over. It counts only when the file system's free space says that the limit
// may be near, or some seconds have gone by, and never for more than a fifth of the time: so a
// writer gets past the limit by what the disk takes within moments. A file that was removed while
// somebody has it open is not seen.
class DiskWatch {
 public:
  DiskWatch(std::filesystem::path top, std::int64_t limit);
  bool over();

 private:
  const std::filesystem::path top_;
  const std::int64_t limit_;
  std::int64_t used_ = 0;  // when it was counted last
  std::int64_t free_;      // on the whole file system, then
  std::chrono::steady_clock::time_point next_;
};

}  // namespace renga::os

// How much of the disk a build may have, and a disk without room: the one fault of the machine that
// a user can do something about. Private to this room.
#pragma once

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>

namespace renga::builds {

inline constexpr const char* full_disk =
    "The disk of this server is full, or nearly, and the build was stopped.";
inline constexpr const char* free_some_space =
    "Ask its operator to free some space, and push again.";

// What a build may have on the disk: 10 GB, and of a small one half.
inline std::int64_t disk_limit(const std::filesystem::path& on) {
  constexpr std::int64_t most = 10LL << 30;
  struct statvfs disk {};
  if (statvfs(on.c_str(), &disk) != 0) return most;
  return std::min(most, static_cast<std::int64_t>(disk.f_blocks * disk.f_frsize / 2));
}

// What dynos, logs and the store need to go on: a fiftieth of the disk, and no more than 1 GB. A
// disk has room for so many files only, too.
inline bool nearly_full(const std::filesystem::path& on) {
  struct statvfs disk {};
  if (statvfs(on.c_str(), &disk) != 0) return false;
  const auto total = disk.f_blocks * disk.f_frsize;
  const auto reserve = std::min<std::uint64_t>(total / 50, 1ULL << 30);
  return disk.f_bavail * disk.f_frsize < reserve ||
         (disk.f_files > 0 && disk.f_favail < disk.f_files / 50);
}

// Another program's full disk, and one below a file system, come as EIO; so does a broken disk.
inline bool is_full_disk(const std::exception& fault, const std::filesystem::path& on) {
  const auto* system = dynamic_cast<const std::system_error*>(&fault);
  if (system == nullptr) return false;
  const int error = system->code().value();
  return error == ENOSPC || error == EDQUOT || (error == EIO && nearly_full(on));
}

}  // namespace renga::builds

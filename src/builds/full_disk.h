// How much of the disk a build may have, and a disk without room: the one fault of the machine that
// a user can do something about. Private to this room.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include "os/disk_use.h"

namespace renga::builds {

inline constexpr const char* full_disk =
    "The disk of this server is full, or nearly, and the build was stopped.";
inline constexpr const char* free_some_space =
    "Ask its operator to free some space, and push again.";

// What a build may have on the disk: 10 GB, and of a small one half.
inline std::int64_t disk_limit(const std::filesystem::path& on) {
  constexpr std::int64_t most = 10LL << 30;
  const auto all = os::disk_size(on);
  return all == 0 ? most : std::min(most, all / 2);
}

// Another program's full disk, and one below a file system, come as EIO; so does a broken disk.
inline bool is_full_disk(const std::exception& fault, const std::filesystem::path& on) {
  const auto* system = dynamic_cast<const std::system_error*>(&fault);
  if (system == nullptr) return false;
  const int error = system->code().value();
  return error == ENOSPC || error == EDQUOT || (error == EIO && os::nearly_full(on));
}

}  // namespace renga::builds

// Archives from strangers, and our own: tar with gzip or zstd, through libarchive. Unpacking refuses what
// would leave the target (absolute paths, "..", links that lead out), devices, fifos and sockets; it drops
// setuid, setgid and sticky bits and ownership.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace renga::releases {

struct UnpackLimits {
  std::int64_t bytes = 4LL << 30;  // unpacked
  std::int64_t entries = 1'000'000;
};

// Every file is owned by `owner` (uid and gid) when run as root; -1 leaves the caller's. Kind::invalid names
// the entry that was refused; nothing outside `target` is ever touched, and what was unpacked stays.
Result<void> unpack(const std::filesystem::path& archive, const std::filesystem::path& target,
                    const UnpackLimits& limits = {}, int owner = -1);

// Packs `directory` as `prefix`/... (deterministic: sorted, without owners) with zstd level 3 into `archive`,
// synced. Returns its SHA-256 in hexadecimal.
std::string pack(const std::filesystem::path& directory, const std::filesystem::path& archive,
                 const std::string& prefix);

}  // namespace renga::releases

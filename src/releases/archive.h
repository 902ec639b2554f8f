// Archives from strangers, and our own: tar with gzip or zstd, through libarchive. Unpacking
// refuses what would leave the target (absolute names, "..", relative links that lead out, names
// behind a symbolic link), devices, fifos and sockets; it drops setuid, setgid and sticky bits and
// ownership. Absolute symbolic links are kept as they are and never followed: they mean something
// only inside a dyno. Blocking; no shared state, so safe from any thread for different targets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace renga::releases {

struct UnpackLimits {
  std::int64_t bytes = 4LL << 30;  // unpacked, holes of sparse files counted
  std::int64_t entries = 1'000'000;
};

// Every file is owned by `owner` (uid and gid) when run as root; -1 leaves the caller's. `target`
// must exist. Kind::invalid names the entry that was refused, Kind::too_large the limit; nothing
// outside `target` is ever touched, and what was unpacked stays. Nothing is synced. Throws when the
// disk fails.
Result<void> unpack(const std::filesystem::path& archive, const std::filesystem::path& target,
                    const UnpackLimits& limits = {}, int owner = -1);
// The same from a descriptor: a pipe, say.
Result<void> unpack(int archive, const std::filesystem::path& target, const UnpackLimits& limits,
                    int owner);

enum class Compression { zstd, gzip };

// Packs `directory` as `prefix`/... (deterministic: sorted, without owners; times are kept, since
// Python's byte code is checked by them) with zstd or gzip into `archive`, synced, mode 0600.
// Sockets, fifos and devices are left out. Relative links that lead out of `prefix` become absolute
// ones with the same meaning for a directory that is mounted at /`prefix`. Returns the archive's
// SHA-256 in hexadecimal.
std::string pack(const std::filesystem::path& directory, const std::filesystem::path& archive,
                 const std::string& prefix, Compression compression = Compression::zstd);

}  // namespace renga::releases

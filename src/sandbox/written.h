// What a sandbox has on the disk: all below what its overlay writes to, and files that were removed
// while one of its processes has them open or mapped, which no directory shows. Only what is under
// way from process to process over a socket, and open in none, is not seen.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace renga::sandbox {

// In bytes; counting stops past `enough`. `holds`: whether the sandbox still has this process; what
// was seen of another that has its number by now does not count.
std::int64_t written(const std::filesystem::path& upper, const std::vector<pid_t>& processes,
                     const std::function<bool(pid_t)>& holds, std::int64_t enough);

}  // namespace renga::sandbox

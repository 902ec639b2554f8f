// What is the same in all sandboxes, whatever their stack, and with what file systems are filled
// while they are made. `directory` is opened with O_PATH, or a detached mount. All throw.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "os/fd.h"

namespace renga::sandbox {

void make_directory(const os::Fd& directory, const char* path, mode_t mode = 0755);
void make_link(const os::Fd& directory, const std::string& to, const std::string& path);
void make_file(const os::Fd& directory, const std::string& path, std::string_view text);

// The users that there are, and links to what is a sandbox's own.
void write_common_etc(const os::Fd& etc);

struct Device {
  const char* name;
  unsigned major, minor;
};
inline constexpr Device devices[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
                                     {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
// The places for devices, and what links there are.
void fill_dev(const os::Fd& dev);
// A /dev with nothing but that, for all, as new_sys() is.
os::Fd new_dev();
// A read-only /sys for all, detached, of no network of anybody's. None where the host hides parts
// of its own (some containers), or the kernel cannot clone what is attached nowhere (before
// Linux 6.15).
os::Fd new_sys();

}  // namespace renga::sandbox

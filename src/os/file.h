// Small files, whole, and trees that strangers have written into. Errors of the machine are thrown;
// a file that is not there is nothing.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace renga::os {

// Throws; the descriptor is close-on-exec.
Fd open_file(const std::filesystem::path& path, int flags, mode_t mode = 0);

// At most `limit` bytes of it.
std::optional<std::string> read_file(const std::filesystem::path& path,
                                     std::size_t limit = 16u << 20);
std::string read_all(int fd, std::size_t limit = 16u << 20);

// Everything, however often the kernel takes a part.
void write_all(int fd, std::string_view bytes, const std::string& what);
// Into an existing file of the kernel's (cgroups, /proc), in one write.
void write_control(const std::filesystem::path& path, std::string_view value);
// A new file with all of it or the old one: written beside and renamed. Not flushed to the disk.
void replace_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

// Removes `name` in `directory` and all below, following no symbolic link and crossing no mount,
// whatever is changed in it meanwhile. No-op when it is not there.
void remove_tree(int directory, const std::string& name);

// A sealed copy in memory: executable, and never changed again by anybody.
Fd sealed_copy(const std::filesystem::path& program);
// A read-only descriptor with these bytes, at its beginning.
Fd memory_file(const std::string& name, std::string_view bytes);

}  // namespace renga::os

// Files that hold keys: written whole or not at all, and never readable by others for an instant.
// Private to this room. Failures are std::system_error with the path.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace renga::crypto {

// Nothing when there is no such file. Files over 1 MiB are refused: no key is that long.
std::optional<std::string> read_file(const std::filesystem::path& path);

// By a temporary file beside it, synced and renamed, so that a crash leaves the old or the new.
void replace_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

// The same, but never over a file that is there; false if there is one. Of two processes that start
// at once, one makes the key and both use it.
bool create_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

}  // namespace renga::crypto

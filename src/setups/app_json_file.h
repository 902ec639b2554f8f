// The app.json of what was built.
#pragma once

#include <filesystem>
#include <string>

namespace renga::setups {

// Of an unpacked slug, which its app wrote: what is there instead of a plain file, or none, is "".
// No more than what read_app_json() takes, and a byte, is read.
std::string app_json_in(const std::filesystem::path& directory);

}  // namespace renga::setups

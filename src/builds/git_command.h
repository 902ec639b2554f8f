// A run of git that knows nothing of the host's or its user's git settings, nor of control's
// environment. For the room git as well.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/process.h"

namespace renga::builds {

os::Command git_command(const std::filesystem::path& home, std::vector<std::string> words);

}  // namespace renga::builds

// A run of git that knows nothing of the host's or its user's git settings, nor of control's
// environment. For the room git as well.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/confine.h"
#include "os/process.h"

namespace renga::builds {

os::Command git_command(const std::filesystem::path& home, std::vector<std::string> words);

// The same for a git that reads what strangers pushed: alone (os::go_alone), and with the system's
// programs and `reach`, absolute paths, in its reach. Its variables and directory may be set.
os::Command confined_git(const std::filesystem::path& home, const os::Reach& reach,
                         const std::vector<std::string>& words);
// The program `renga confined-git`, which confined_git() starts.
int confined_git_main(int argc, char** argv);

}  // namespace renga::builds

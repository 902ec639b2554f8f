// A run of git that knows nothing of the host's or its user's git settings, nor of control's
// environment; and one that reads what strangers pushed. For the room git as well.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/confine.h"
#include "os/process.h"

namespace renga::builds {

os::Command git_command(const std::filesystem::path& home, std::vector<std::string> words);

// This process becomes git with as little in its reach as it can work with: alone (os::go_alone),
// and with the system's programs and `reach` for files. Returns, an exit status, when it cannot.
int become_confined_git(os::Reach reach, std::vector<std::string> words);

// The program `renga git-read REPOSITORY WORD...`: git in that repository, of which it can change
// nothing.
int git_read_main(int argc, char** argv);
os::Command git_read_command(const std::filesystem::path& repository,
                             const std::vector<std::string>& words);

}  // namespace renga::builds

// Git as a process that can reach next to nothing, for what strangers pushed: reading it, and
// serving it (the room git).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "os/confine.h"
#include "os/process.h"

namespace renga::builds {

// This process becomes git with as little in its reach as it can work with: alone (os::go_alone),
// and with the system's programs and `reach` for files. Returns, an exit status, when it cannot.
int become_confined_git(os::Reach reach, std::vector<std::string> words);

// The programs `renga git-read REPOSITORY WORD...`: git in that repository, of which it can change
// nothing; and `renga git-write ...`: it may.
bool is_confined_git(std::string_view part);
int confined_git_main(int argc, char** argv);
os::Command git_read_command(const std::filesystem::path& repository,
                             std::vector<std::string> words);
os::Command git_write_command(const std::filesystem::path& repository,
                              std::vector<std::string> words);

}  // namespace renga::builds

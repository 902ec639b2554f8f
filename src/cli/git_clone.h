// Cloning an app's code. It is with the other dealings with git, in git_remotes.cpp.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "client/settings.h"

namespace renga::cli {

// Into a directory that is not there yet, with the remote `name`, which signs in as set_app_remote
// makes it.
Result<void> clone_app(const std::filesystem::path& directory, const client::Settings& settings,
                       const std::string& program, const std::string& name, const std::string& app);

}  // namespace renga::cli

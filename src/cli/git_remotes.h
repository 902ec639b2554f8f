// The git remotes of a directory that are apps of a server, and making one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/settings.h"

namespace renga::cli {

struct AppRemote {
  std::string name;  // "renga"
  std::string app;
};

// Those whose URL is http(s)://[user@]HOST/<app>.git; with `only`, just the one of that name. None
// outside a repository or without git.
std::vector<AppRemote> app_remotes(const std::filesystem::path& directory, const std::string& host,
                                   const std::string& only);

bool in_repository(const std::filesystem::path& directory);

// Adds or changes the remote `name`, and tells git (for this repository alone) to ask `renga
// git:credentials` for the token and which CA to trust.
Result<void> set_app_remote(const std::filesystem::path& directory,
                            const client::Settings& settings, const std::string& name,
                            const std::string& app);
void remove_app_remote(const std::filesystem::path& directory, const std::string& name);

}  // namespace renga::cli

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

// "https://localhost:7373/sushi.git", by the name that the server is reached at from here. git is
// always served over TLS too; its remotes say so, since passwords travel with them.
std::string git_url(const client::Settings& settings, const std::string& app);

// Adds or changes the remote `name`, and tells git (for this repository alone) to ask `PROGRAM
// git:credentials` for the token and which CA to trust.
Result<void> set_app_remote(const std::filesystem::path& directory,
                            const client::Settings& settings, const std::string& program,
                            const std::string& name, const std::string& app);
void remove_app_remote(const std::filesystem::path& directory, const std::string& name);

}  // namespace renga::cli

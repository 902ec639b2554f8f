// `renga local --as-deployed`: the app of a directory on a server of its own, as it would be
// deployed: built by buildpacks, in sandboxes, with the limits and the add-ons of this very
// program.
#pragma once

#include <filesystem>
#include <vector>

#include "cli/command.h"
#include "local/project.h"

namespace renga::cli {

// Where a directory's server keeps everything, from one time to the next: its build cache, its
// add-ons' data.
std::filesystem::path deployed_data(const client::Surroundings& surroundings,
                                    const std::filesystem::path& directory);

// A name for an app of this directory: what Heroku's rules leave of the directory's name.
std::string app_name_for(const std::filesystem::path& directory);

// Starts the server, deploys the directory, runs `instances` of each type, and shows the log until
// Ctrl-C; then ends all of it. The exit status: 130 after Ctrl-C, the build's if it failed.
Result<int> run_as_deployed(Context& context, const std::filesystem::path& directory,
                            const local::Project& project,
                            const std::vector<local::Instance>& instances);

}  // namespace renga::cli

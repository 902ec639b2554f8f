// What the `local` commands share: their flags, and the project that these name. And the command
// that joins a terminal to one process.
#pragma once

#include "cli/command.h"
#include "local/project.h"

namespace renga::cli {

Command local_attach();

inline constexpr Flag procfile_flag{"procfile", 'f', "FILE", "the Procfile (default Procfile)"};
inline constexpr Flag env_flag{"env", 'e', "FILE,...", "env files, later over earlier ones (.env)"};
inline constexpr Flag port_flag{"port", 'p', "PORT", "the first port (default 5006)"};
inline constexpr Flag root_flag{"root", 'd', "DIR", "the app's directory (default: this one)"};
inline constexpr Flag formation_flag{"formation", 'm', "TYPE=N,...", "as foreman: all=1,worker=2"};
inline constexpr Flag start_flag{"start-cmd", 0, "CMD", "run this as web if there is no Procfile"};

std::filesystem::path local_directory(const Context& context);

// What .foreman says of flags of the command that were not given. A switch is on for true, and off
// for everything else.
void take_defaults(Context& context, const std::vector<Flag>& flags);

Result<local::Project> local_project(const Context& context);

Result<std::vector<local::Instance>> local_plan(const Context& context,
                                                const local::Project& project,
                                                std::size_t argument);

}  // namespace renga::cli

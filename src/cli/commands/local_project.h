// What the `local` commands share: their flags, and the project that these name.
#pragma once

#include "cli/command.h"
#include "local/project.h"

namespace renga::cli {

inline constexpr Flag procfile_flag{"procfile", 'f', "FILE", "the Procfile (default Procfile)"};
inline constexpr Flag env_flag{"env", 'e', "FILE,...", "env files, later over earlier ones (.env)"};
inline constexpr Flag port_flag{"port", 'p', "PORT", "the first port (default 5006)"};
inline constexpr Flag root_flag{"root", 'd', "DIR", "the app's directory (default: this one)"};
inline constexpr Flag formation_flag{"formation", 'm', "TYPE=N,...", "as foreman: all=1,worker=2"};
inline constexpr Flag start_flag{"start-cmd", 0, "CMD", "run this as web if there is no Procfile"};

inline std::filesystem::path local_directory(const Context& context) {
  const auto directory = (context.surroundings.directory / context.flag("root")).lexically_normal();
  return directory.has_filename() ? directory : directory.parent_path();
}

inline Result<local::Project> local_project(const Context& context) {
  return local::read_project(local_directory(context),
                             {.procfile = context.flag("procfile"),
                              .env_files = context.flag("env"),
                              .port = context.flag("port"),
                              .start_command = context.flag("start-cmd")},
                             context.surroundings.environment);
}

inline Result<std::vector<local::Instance>> local_plan(const Context& context,
                                                       const local::Project& project,
                                                       std::size_t argument) {
  const auto types =
      context.arguments.size() > argument ? context.arguments[argument] : std::string();
  return local::plan(project.procfile, types, context.flag("formation"), project.port);
}

}  // namespace renga::cli

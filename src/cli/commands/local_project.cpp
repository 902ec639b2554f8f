#include "cli/commands/local_project.h"

#include "local/foreman_file.h"

namespace renga::cli {

std::filesystem::path local_directory(const Context& context) {
  const auto directory = (context.surroundings.directory / context.flag("root")).lexically_normal();
  return directory.has_filename() ? directory : directory.parent_path();
}

void take_defaults(Context& context, const std::vector<Flag>& flags) {
  const auto defaults = local::read_foreman_file(local_directory(context));
  for (const auto& flag : flags) {
    const std::string name(flag.name);
    const auto found = defaults.find(name);
    if (found == defaults.end() || context.has(name) || name == "root") continue;
    if (!flag.value.empty())
      context.flags[name] = found->second;
    else if (found->second == "true")
      context.flags[name] = "true";
  }
  // foreman's file says what is on; its flag, what is off.
  if (const auto times = defaults.find("timestamp");
      times != defaults.end() && times->second == "false")
    context.flags["no-timestamp"] = "true";
  // Types as arguments and a formation exclude each other; what is typed counts.
  if (!context.arguments.empty() && defaults.contains("formation"))
    context.flags.erase("formation");
}

Result<local::Project> local_project(const Context& context) {
  return local::read_project(local_directory(context),
                             {.procfile = context.flag("procfile"),
                              .env_files = context.flag("env"),
                              .port = context.flag("port"),
                              .start_command = context.flag("start-cmd")},
                             context.surroundings.environment);
}

Result<std::vector<local::Instance>> local_plan(const Context& context,
                                                const local::Project& project,
                                                std::size_t argument) {
  const auto types =
      context.arguments.size() > argument ? context.arguments[argument] : std::string();
  return local::plan(project.procfile, types, context.flag("formation"), project.port);
}

}  // namespace renga::cli

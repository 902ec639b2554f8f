#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/local_project.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  take_defaults(context, {procfile_flag, env_flag});
  const auto project = TRY(local_project(context));
  std::vector<std::string> types;
  for (const auto& process : project.procfile.processes) types.push_back(process.type);
  context.terminal.line(fmt::format("valid procfile detected ({})", text::join(types, ", ")));
  return 0;
}

}  // namespace

Command local_check() {
  return {.name = "local:check",
          .usage = "",
          .summary = "check the Procfile and .env, and list the process types",
          .help = "",
          .flags = {procfile_flag, env_flag, root_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/local_project.h"
#include "local/control.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Say which process: renga local:restart web.1, or web for all web.");
  const auto& name = context.arguments[0];
  const auto answers = TRY(local::ask(local::control_directory(context.surroundings.environment),
                                      local_directory(context), "restart " + name));
  bool any = false;
  for (const auto& answer : answers) {
    if (answer == "none\n") continue;
    any = true;
    for (const auto one : text::lines(answer))
      context.terminal.line(fmt::format("Restarting {}", one));
  }
  if (!any)
    return fail(Kind::not_found,
                fmt::format("No process {} runs here. `renga local:ps` lists what does.",
                            text::printable(name)));
  return 0;
}

}  // namespace

Command local_restart() {
  return {.name = "local:restart",
          .usage = "TYPE[.N]",
          .summary = "restart one process of the `renga local` of this directory",
          .help = "",
          .flags = {root_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>
#include <unistd.h>

#include "cli/commands/local_project.h"
#include "local/attach.h"
#include "local/control.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Say which process: renga local:attach web.1.");
  const auto& name = context.arguments[0];
  if (::isatty(STDIN_FILENO) == 1) context.terminal.say("Ctrl-] leaves it.");
  const auto parting =
      TRY(local::attach(local::control_directory(context.surroundings.environment),
                        local_directory(context), name, {STDIN_FILENO, STDOUT_FILENO}));
  context.terminal.say(parting == local::Parting::process_ended
                           ? fmt::format("\n{} has ended.", name)
                           : fmt::format("\nLeft {}, which runs on.", name));
  return 0;
}

}  // namespace

Command local_attach() {
  return {
      .name = "local:attach",
      .usage = "TYPE.N",
      .summary = "join the terminal to one process of the `renga local` of this directory",
      .help =
          R"(Keys go to the process, Ctrl-C too, and what it writes comes here instead of into the common output,
until Ctrl-] or the process's end. For debuggers and consoles.)",
      .flags = {root_flag},
      .run = run};
}

}  // namespace renga::cli

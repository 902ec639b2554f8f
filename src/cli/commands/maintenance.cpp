#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path());
  const auto app = TRY(TRY(context.platform())->get(path));
  context.terminal.line(flag_at(app, "maintenance") ? "on" : "off");
  return 0;
}

}  // namespace

Command maintenance() {
  return {.name = "maintenance",
          .usage = "",
          .summary = "show whether maintenance mode is on",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

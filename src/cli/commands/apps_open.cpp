#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path());
  context.terminal.line(text_at(TRY(TRY(context.platform())->get(path)), "web_url"));
  return 0;
}

}  // namespace

Command apps_open() {
  return {.name = "apps:open",
          .usage = "",
          .summary = "print the address where an app answers",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

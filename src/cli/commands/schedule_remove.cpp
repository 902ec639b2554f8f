#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which job? `renga schedule` shows their ids.");
  const auto path = TRY(context.path("/scheduled-jobs/" + text::url_encode(context.arguments[0])));
  const auto job = TRY(TRY(context.platform())->remove(path));
  context.terminal.say(
      fmt::format("Removing `{}` from {}... done", text_at(job, "command"), TRY(context.app())));
  return 0;
}

}  // namespace

Command schedule_remove() {
  return {.name = "schedule:remove",
          .usage = "JOB",
          .summary = "remove a scheduled job and its history",
          .help = R"(A run that is under way goes on.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

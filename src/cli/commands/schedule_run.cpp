#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which job? `renga schedule` shows their ids.");
  const auto path =
      TRY(context.path("/scheduled-jobs/" + text::url_encode(context.arguments[0]) + "/runs"));
  const auto run = TRY(TRY(context.platform())->post(path, boost::json::object()));
  context.terminal.say(fmt::format("Running job {} now... started, {}", context.arguments[0],
                                   text_at(run, "id").substr(0, 8)));
  return 0;
}

}  // namespace

Command schedule_run() {
  return {.name = "schedule:run",
          .usage = "JOB",
          .summary = "run a scheduled job now",
          .help = R"(Its schedule stays as it is. `renga schedule:history JOB` shows how it went.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

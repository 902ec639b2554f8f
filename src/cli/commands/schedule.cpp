#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto jobs = TRY(TRY(context.platform())->get(TRY(context.path("/scheduled-jobs"))));
  if (context.has("json")) {
    context.terminal.out(pretty(jobs));
    return 0;
  }
  if (jobs.as_array().empty()) {
    context.terminal.say(TRY(context.app()) +
                         " has no scheduled jobs. `renga schedule:add` adds one.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& job : jobs.as_array())
    rows.push_back({text_at(job, "id").substr(0, 8), text_at(job, "schedule"),
                    text_at(job, "time_zone"), "next " + text_at(job, "next_run_at"),
                    text_at(job, "command")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command schedule() {
  return {
      .name = "schedule",
      .usage = "",
      .summary = "list an app's scheduled jobs",
      .help =
          R"(Each row has the job's id, its schedule and time zone, when it is due next, and its command.)",
      .flags = {app_flag, json_flag},
      .run = run};
}

}  // namespace renga::cli

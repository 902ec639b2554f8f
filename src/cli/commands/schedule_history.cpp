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
  const auto runs = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(runs));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : runs.as_array()) {
    const auto due = text_at(each, "due_at");
    const auto status = text_at(each, "exit_status");
    rows.push_back({text_at(each, "id").substr(0, 8),
                    due.empty() ? text_at(each, "created_at") + " by hand" : due,
                    text_at(each, "state") + (status.empty() ? "" : " (" + status + ")"),
                    text_at(each, "dyno.name"), text_at(each, "message")});
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command schedule_history() {
  return {
      .name = "schedule:history",
      .usage = "JOB",
      .summary = "show when a scheduled job ran, and how it went",
      .help =
          R"(Newest first: the run's id, when it was due, how it ended with its exit status, its dyno.)",
      .flags = {app_flag, json_flag},
      .run = run};
}

}  // namespace renga::cli

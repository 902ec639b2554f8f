#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid,
                "When? `renga schedule:add \"daily at 8:30\" -- python manage.py report`.");
  auto words = std::vector(context.arguments.begin() + 1, context.arguments.end());
  words.insert(words.end(), context.rest.begin(), context.rest.end());
  if (words.empty())
    return fail(Kind::invalid, "Run what? The command stands behind the schedule and --.");
  // One argument is a command line for the shell; several are words.
  std::string command = words.front();
  if (words.size() > 1) {
    for (auto& word : words) word = text::shell_quote(word);
    command = text::join(words, " ");
  }
  json::object wanted{{"schedule", context.arguments[0]}, {"command", command}};
  for (const auto& [flag, member] :
       {std::pair("zone", "time_zone"), {"size", "size"}, {"overlap", "overlap"}})
    if (context.has(flag)) wanted[member] = context.flag(flag);
  const auto path = TRY(context.path("/scheduled-jobs"));
  const auto job = TRY(TRY(context.platform())->post(path, wanted));
  context.terminal.say(fmt::format("Scheduling `{}` on {}... done, {}, next {}",
                                   text_at(job, "command"), TRY(context.app()),
                                   text_at(job, "id").substr(0, 8), text_at(job, "next_run_at")));
  return 0;
}

}  // namespace

Command schedule_add() {
  return {
      .name = "schedule:add",
      .usage = "SCHEDULE COMMAND ...",
      .summary = "run a command at set times",
      .help =
          R"(The schedule is cron's five fields (minute hour day month weekday), or "every 10 minutes",
"hourly at 20", "daily at 8:30". Each run is a one-off dyno with the app's current release. One that
was due while the server was down runs once when it is back.

Examples:
  $ renga schedule:add "every 10 minutes" -- ./fetch-feeds
  $ renga schedule:add "daily at 8:30" --zone Europe/Berlin -- python manage.py report
  $ renga schedule:add "0 2 * * sun" --overlap queue -- ./backup.sh)",
      .flags = {app_flag,
                {"zone", 'z', "ZONE", "the time zone of the schedule (default UTC)"},
                {"overlap", 0, "POLICY",
                 "while the last run still goes: skip (default), queue or allow"},
                {"size", 's', "SIZE", "the dynos' size"}},
      .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/attached.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto command = command_line(context);
  if (command.empty())
    return fail(Kind::invalid, "Run what? `renga run:detached -- python manage.py migrate`.");
  json::object wanted{{"command", command}, {"attach", false}};
  if (auto env = TRY(given_environment(context)); !env.empty()) wanted["env"] = std::move(env);
  TRY(add_limits(context, wanted));
  const auto path = TRY(context.path("/dynos"));
  const auto dyno = TRY(TRY(context.platform())->post(path, wanted));
  context.terminal.say(fmt::format("Running {}... done, {}", command, text_at(dyno, "name")));
  context.terminal.line(
      fmt::format("Follow it with: renga logs --tail --dyno {}", text_at(dyno, "name")));
  return 0;
}

}  // namespace

Command run_detached() {
  return {
      .name = "run:detached",
      .usage = "COMMAND ...",
      .summary = "run a command in a one-off dyno, output to the log",
      .help = R"(Without --time-to-live it runs until its command ends, or `renga ps:stop` ends it.

Examples:
  $ renga run:detached -- python manage.py migrate
  $ renga run:detached --size standard-2x --time-to-live 3600 --env YEAR=2025 ./report)",
      .flags = {app_flag, env_flag, size_flag, time_to_live_flag},
      .run = run};
}

}  // namespace renga::cli

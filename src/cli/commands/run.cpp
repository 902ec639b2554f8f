#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/attached.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run_attached(Context& context) {
  const auto command = command_line(context);
  if (command.empty())
    return fail(Kind::invalid, "Run what? `renga run -- python manage.py shell`.");
  const bool terminal = at_terminal(context);
  json::object wanted{{"command", command}, {"attach", true}, {"force_no_tty", !terminal}};
  wanted["env"] = TRY(attached_environment(context, terminal));
  TRY(add_limits(context, wanted));

  auto* platform = TRY(context.platform());
  const auto dyno = TRY(platform->post(TRY(context.path("/dynos")), wanted));
  if (terminal)
    context.terminal.say(fmt::format("Running {}... {}", command, text_at(dyno, "name")));
  return client::attach(text_at(dyno, "attach_url"), attach_options(*platform, terminal));
}

}  // namespace

Command run() {
  return {
      .name = "run",
      .usage = "COMMAND ...",
      .summary = "run a command in a one-off dyno, at this terminal",
      .help =
          R"(The exit status is the command's. Flags come before the command; behind -- everything is
the command's. With standard input and output at a terminal the dyno has one too; otherwise bytes
go through unchanged, and the end of the input is the command's.

Examples:
  $ renga run -- python manage.py shell
  $ renga run -- pg_dump --format=custom mydb > dump
  $ renga run --env DEBUG=1 -- ./import < rows.csv)",
      .flags = {app_flag,
                {"exit-code", 'x', "", "as Heroku's CLI has it; always so here"},
                {"no-tty", 0, "", "no terminal in the dyno"},
                env_flag,
                size_flag,
                time_to_live_flag},
      .run = run_attached};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/attached.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto command = command_line(context);
  if (command.empty()) command = "bash";
  const bool terminal = at_terminal(context);
  const auto name = TRY(dyno_to_enter(context));
  auto* platform = TRY(context.platform());
  json::object wanted{{"command", command}, {"force_no_tty", !terminal}};
  wanted["env"] = TRY(attached_environment(context, terminal));
  const auto path = TRY(context.path("/dynos/" + text::url_encode(name)));
  const auto dyno = TRY(platform->post(path, wanted));
  if (terminal) context.terminal.say(fmt::format("Running {} inside {}...", command, name));
  return client::attach(text_at(dyno, "attach_url"), attach_options(*platform, terminal));
}

}  // namespace

Command ps_exec() {
  return {
      .name = "ps:exec",
      .usage = "[COMMAND ...]",
      .summary = "run a command, or a shell, inside a dyno that is up",
      .help =
          R"(The command has the dyno's user, environment, files, limits and network. Without one it is bash.
The exit status is the command's. What the command wrote is not in the log.

Examples:
  $ renga ps:exec
  $ renga ps:exec --dyno worker.2 -- ps aux
  $ renga ps:exec -- python manage.py shell)",
      .flags = {app_flag,
                {"dyno", 'd', "DYNO", "which one (default web.1, or the first that is up)"},
                {"env", 'e', "NAME=VALUE", "more environment; several with ; between them"},
                {"no-tty", 0, "", "no terminal for the command"}},
      .run = run};
}

}  // namespace renga::cli

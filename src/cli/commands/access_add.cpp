#include <fmt/format.h>

#include "cli/commands/access_words.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Whom? `renga access:add ada@example.com`.");
  json::object wanted{{"user", context.arguments[0]}};
  if (context.has("permissions")) wanted["permissions"] = permissions_of(context);
  const auto path = TRY(context.path("/collaborators"));
  TRY(TRY(context.platform())->post(path, wanted));
  context.terminal.say(fmt::format("Adding {} access to the app {}... done", context.arguments[0],
                                   TRY(context.app())));
  return 0;
}

}  // namespace

Command access_add() {
  return {
      .name = "access:add",
      .usage = "EMAIL",
      .summary = "let somebody else use an app",
      .help =
          R"(Without --permissions they may view, deploy and operate it. They need an account on the server.

Example:
  $ renga access:add ada@example.com --permissions view,deploy)",
      .flags = {app_flag, permissions_flag},
      .run = run};
}

}  // namespace renga::cli

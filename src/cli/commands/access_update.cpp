#include <fmt/format.h>

#include "cli/commands/access_words.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty() || !context.has("permissions"))
    return fail(Kind::invalid,
                "Whose, and to what? `renga access:update ada@example.com --permissions "
                "view,deploy`.");
  const auto path = TRY(context.path("/collaborators/" + text::url_encode(context.arguments[0])));
  TRY(TRY(context.platform())->patch(path, json::object{{"permissions", permissions_of(context)}}));
  context.terminal.say(fmt::format("Updating the permissions of {} on {}... done",
                                   context.arguments[0], TRY(context.app())));
  return 0;
}

}  // namespace

Command access_update() {
  return {.name = "access:update",
          .usage = "EMAIL",
          .summary = "change what a collaborator may do",
          .help = R"(Example:
  $ renga access:update ada@example.com --permissions view,deploy,operate,manage)",
          .flags = {app_flag, permissions_flag},
          .run = run};
}

}  // namespace renga::cli

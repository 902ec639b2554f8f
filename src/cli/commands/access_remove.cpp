#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Whom? `renga access:remove ada@example.com`.");
  const auto path = TRY(context.path("/collaborators/" + text::url_encode(context.arguments[0])));
  TRY(TRY(context.platform())->remove(path));
  context.terminal.say(fmt::format("Removing the access of {} to {}... done", context.arguments[0],
                                   TRY(context.app())));
  return 0;
}

}  // namespace

Command access_remove() {
  return {.name = "access:remove",
          .usage = "EMAIL",
          .summary = "take somebody off an app",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which host name? `renga domains:remove www.example.com`.");
  const auto path = TRY(context.path("/domains/" + text::url_encode(context.arguments[0])));
  TRY(TRY(context.platform())->remove(path));
  context.terminal.say(
      fmt::format("Removing {} from {}... done", context.arguments[0], TRY(context.app())));
  return 0;
}

}  // namespace

Command domains_remove() {
  return {.name = "domains:remove",
          .usage = "HOSTNAME",
          .summary = "take a host name away from an app",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

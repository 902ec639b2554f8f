#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which drain? `renga drains` shows them; name a URL or a token.");
  const auto path = TRY(context.path("/log-drains/" + text::url_encode(context.arguments[0])));
  const auto drain = TRY(TRY(context.platform())->remove(path));
  context.terminal.say(
      fmt::format("Removing drain {} from {}... done", text_at(drain, "url"), TRY(context.app())));
  return 0;
}

}  // namespace

Command drains_remove() {
  return {.name = "drains:remove",
          .usage = "URL|TOKEN",
          .summary = "deliver an app's log there no longer",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

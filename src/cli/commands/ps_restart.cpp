#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto which = context.arguments.empty() ? std::string() : context.arguments[0];
  const auto path = which.empty() ? TRY(context.path("/dynos"))
                    : which.find('.') == std::string::npos
                        ? TRY(context.path("/formations/" + text::url_encode(which)))
                        : TRY(context.path("/dynos/" + text::url_encode(which)));
  TRY(TRY(context.platform())->remove(path));
  context.terminal.say(fmt::format("Restarting {} on {}... done",
                                   which.empty() ? "all dynos" : which, TRY(context.app())));
  return 0;
}

}  // namespace

Command ps_restart() {
  return {.name = "ps:restart",
          .usage = "[DYNO]",
          .summary = "restart dynos: all, a type (web), or one (web.1)",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

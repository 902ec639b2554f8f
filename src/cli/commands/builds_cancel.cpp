#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/follow_build.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto build = TRY(build_named(context));
  const auto id = text_at(build, "id");
  TRY(TRY(context.platform())->remove(TRY(context.path("/builds/" + text::url_encode(id)))));
  context.terminal.say(fmt::format("Build {} of {} was cancelled.", id, TRY(context.app())));
  return 0;
}

}  // namespace

Command builds_cancel() {
  return {.name = "builds:cancel",
          .usage = "[BUILD]",
          .summary = "stop a build that waits or runs",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

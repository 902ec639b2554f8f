#include <fmt/format.h>

#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  TRY(TRY(context.platform())->remove(TRY(context.path("/build-cache"))));
  context.terminal.say(fmt::format("The build cache of {} is empty.", TRY(context.app())));
  return 0;
}

}  // namespace

Command builds_cache_purge() {
  return {.name = "builds:cache:purge",
          .usage = "",
          .summary = "empty an app's build cache",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

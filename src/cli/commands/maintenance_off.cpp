#include <fmt/format.h>

#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path());
  TRY(TRY(context.platform())->patch(path, json::object{{"maintenance", false}}));
  context.terminal.say(
      fmt::format("Turning maintenance mode off for {}... done", TRY(context.app())));
  return 0;
}

}  // namespace

Command maintenance_off() {
  return {.name = "maintenance:off",
          .usage = "",
          .summary = "turn maintenance mode off",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path());
  TRY(TRY(context.platform())->patch(path, json::object{{"maintenance", true}}));
  context.terminal.say(
      fmt::format("Turning maintenance mode on for {}... done", TRY(context.app())));
  return 0;
}

}  // namespace

Command maintenance_on() {
  return {
      .name = "maintenance:on",
      .usage = "",
      .summary = "turn maintenance mode on",
      .help =
          R"(While it is on, every request is answered with a maintenance page and status 503.)",
      .flags = {app_flag},
      .run = run};
}

}  // namespace renga::cli

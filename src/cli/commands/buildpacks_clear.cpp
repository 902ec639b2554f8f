#include <fmt/format.h>

#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/buildpack-installations"));
  TRY(TRY(context.platform())->put(path, json::object{{"updates", json::array()}}));
  context.terminal.say(fmt::format("Buildpacks of {} cleared.", TRY(context.app())));
  return 0;
}

}  // namespace

Command buildpacks_clear() {
  return {.name = "buildpacks:clear",
          .usage = "",
          .summary = "let the next build choose the buildpack",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/buildpack-installations"));
  const auto installed = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(installed));
    return 0;
  }
  if (installed.as_array().empty())
    context.terminal.say(
        fmt::format("{} has no buildpack set; the next build chooses one.", TRY(context.app())));
  for (const auto& one : installed.as_array())
    context.terminal.line(text_at(one, "buildpack.name"));
  return 0;
}

}  // namespace

Command buildpacks() {
  return {.name = "buildpacks",
          .usage = "",
          .summary = "list an app's buildpacks",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli

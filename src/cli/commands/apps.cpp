#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto apps = TRY(TRY(context.platform())->get("/apps"));
  if (context.has("json")) {
    context.terminal.out(pretty(apps));
    return 0;
  }
  if (apps.as_array().empty()) {
    context.terminal.say("You have no apps. Make one with `renga apps:create NAME`.");
    return 0;
  }
  for (const auto& app : apps.as_array()) context.terminal.line(text_at(app, "name"));
  return 0;
}

}  // namespace

Command apps() {
  return {.name = "apps",
          .usage = "",
          .summary = "list the apps you may see",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

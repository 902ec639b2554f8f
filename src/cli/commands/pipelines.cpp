#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto pipelines = TRY(TRY(context.platform())->get("/pipelines", "name ..; max=1000"));
  if (context.has("json")) {
    context.terminal.out(pretty(pipelines));
    return 0;
  }
  if (pipelines.as_array().empty())
    context.terminal.say("You have no pipelines. Make one with `renga pipelines:create`.");
  for (const auto& one : pipelines.as_array()) context.terminal.line(text_at(one, "name"));
  return 0;
}

}  // namespace

Command pipelines() {
  return {.name = "pipelines",
          .usage = "",
          .summary = "list your pipelines",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

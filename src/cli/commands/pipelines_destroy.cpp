#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto name = TRY(pipeline_argument(context, "pipelines:destroy"));
  const auto pipeline = TRY(find_pipeline(context, name));
  TRY(TRY(context.platform())->remove("/pipelines/" + text_at(pipeline, "id")));
  context.terminal.say(fmt::format("Destroying {} pipeline... done", text_at(pipeline, "name")));
  return 0;
}

}  // namespace

Command pipelines_destroy() {
  return {.name = "pipelines:destroy",
          .usage = "NAME",
          .summary = "destroy a pipeline",
          .help = R"(Its apps run on as they are.)",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli

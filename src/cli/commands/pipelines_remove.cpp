#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto coupling = TRY(coupling_of_app(context));
  TRY(TRY(context.platform())->remove("/pipeline-couplings/" + text_at(coupling, "id")));
  context.terminal.say(fmt::format("Removing {} from {}... done", text_at(coupling, "app.name"),
                                   text_at(coupling, "pipeline.name")));
  return 0;
}

}  // namespace

Command pipelines_remove() {
  return {.name = "pipelines:remove",
          .usage = "",
          .summary = "take an app out of its pipeline",
          .help = R"(The app runs on as it is.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

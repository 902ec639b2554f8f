#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto name = TRY(pipeline_argument(context, "pipelines:add"));
  const auto app = TRY(context.app());
  const auto pipeline = TRY(find_pipeline(context, name));
  const auto stage = context.flag("stage", guess_stage(app).second);
  TRY(TRY(context.platform())
          ->post(
              "/pipeline-couplings",
              json::object{{"app", app}, {"pipeline", text_at(pipeline, "id")}, {"stage", stage}}));
  context.terminal.say(
      fmt::format("Adding {} to {} pipeline as {}... done", app, text_at(pipeline, "name"), stage));
  return 0;
}

}  // namespace

Command pipelines_add() {
  return {.name = "pipelines:add",
          .usage = "NAME",
          .summary = "put an app into a stage of a pipeline",
          .help = R"(Without a stage it is guessed from the app's name.

Example:
  $ renga pipelines:add sushi -a sushi-production -s production)",
          .flags = {app_flag, stage_flag},
          .run = run};
}

}  // namespace renga::cli

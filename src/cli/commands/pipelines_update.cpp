#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto stage = context.flag("stage");
  if (stage.empty())
    return fail(Kind::invalid, "Which stage? `renga pipelines:update -s staging -a APP`.");
  const auto coupling = TRY(coupling_of_app(context));
  TRY(TRY(context.platform())
          ->patch("/pipeline-couplings/" + text_at(coupling, "id"),
                  json::object{{"stage", stage}}));
  context.terminal.say(
      fmt::format("Changing {} to {}... done", text_at(coupling, "app.name"), stage));
  return 0;
}

}  // namespace

Command pipelines_update() {
  return {.name = "pipelines:update",
          .usage = "",
          .summary = "move an app to another stage of its pipeline",
          .help = R"()",
          .flags = {app_flag, stage_flag},
          .run = run};
}

}  // namespace renga::cli

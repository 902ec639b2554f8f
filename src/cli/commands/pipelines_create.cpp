#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto app = TRY(platform->get(TRY(context.path())));
  const auto app_name = text_at(app, "name");
  const auto [guessed_name, guessed_stage] = guess_stage(app_name);
  const auto name = context.arguments.empty() ? guessed_name : context.arguments[0];
  const auto stage = context.flag("stage", guessed_stage);
  // A pipeline belongs to the owner of its apps, whoever types this.
  const json::object owner{{"id", text_at(app, "owner.id")}, {"type", "user"}};
  const auto pipeline =
      TRY(platform->post("/pipelines", json::object{{"name", name}, {"owner", owner}}));
  context.terminal.say(fmt::format("Creating {} pipeline... done", name));
  TRY(platform->post(
      "/pipeline-couplings",
      json::object{{"app", app_name}, {"pipeline", text_at(pipeline, "id")}, {"stage", stage}}));
  context.terminal.say(
      fmt::format("Adding {} to {} pipeline as {}... done", app_name, name, stage));
  return 0;
}

}  // namespace

Command pipelines_create() {
  return {.name = "pipelines:create",
          .usage = "[NAME]",
          .summary = "make a pipeline with an app as its first",
          .help = R"(Without a name or a stage they are guessed from the app's: sushi-staging is the
pipeline sushi, in staging.

Example:
  $ renga pipelines:create sushi -a sushi-staging -s staging)",
          .flags = {app_flag, stage_flag},
          .run = run};
}

}  // namespace renga::cli

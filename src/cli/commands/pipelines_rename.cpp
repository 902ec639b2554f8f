#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.size() < 2)
    return fail(Kind::invalid, "`renga pipelines:rename NAME NEW-NAME`.");
  const auto pipeline = TRY(find_pipeline(context, context.arguments[0]));
  TRY(TRY(context.platform())
          ->patch("/pipelines/" + text_at(pipeline, "id"),
                  json::object{{"name", context.arguments[1]}}));
  context.terminal.say(fmt::format("Renaming {} pipeline to {}... done", text_at(pipeline, "name"),
                                   context.arguments[1]));
  return 0;
}

}  // namespace

Command pipelines_rename() {
  return {.name = "pipelines:rename",
          .usage = "NAME NEW-NAME",
          .summary = "rename a pipeline",
          .help = R"()",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli

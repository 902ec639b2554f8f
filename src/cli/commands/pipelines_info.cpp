#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto name = TRY(pipeline_argument(context, "pipelines:info"));
  const auto pipeline = TRY(find_pipeline(context, name));
  const auto couplings = TRY(couplings_of(context, pipeline));
  const auto latest = TRY(
      TRY(context.platform())->get("/pipelines/" + text_at(pipeline, "id") + "/latest-releases"));
  if (context.has("json")) {
    context.terminal.out(pretty(json::object{
        {"pipeline", pipeline}, {"couplings", couplings}, {"latest_releases", latest}}));
    return 0;
  }
  context.terminal.line("=== " + text_at(pipeline, "name"));
  auto rows = rows_of(couplings);
  for (auto& row : rows)
    for (const auto& release : latest.as_array())
      if (text_at(release, "app.name") == row[0]) {
        row.push_back("v" + text_at(release, "version"));
        row.push_back(text_at(release, "description"));
      }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command pipelines_info() {
  return {.name = "pipelines:info",
          .usage = "NAME",
          .summary = "show a pipeline's apps, their stages and what they run",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto name = TRY(pipeline_argument(context, "pipelines:open"));
  const auto pipeline = TRY(find_pipeline(context, name));
  auto* platform = TRY(context.platform());
  std::vector<std::vector<std::string>> rows;
  for (auto& row : rows_of(TRY(couplings_of(context, pipeline)))) {
    const auto app = TRY(platform->get("/apps/" + text::url_encode(row[0])));
    rows.push_back({row[1], row[0], text_at(app, "web_url")});
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command pipelines_open() {
  return {.name = "pipelines:open",
          .usage = "NAME",
          .summary = "print the addresses where a pipeline's apps answer",
          .help = R"()",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli

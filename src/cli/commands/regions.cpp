#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto regions = TRY(TRY(context.platform())->get("/regions"));
  if (context.has("json")) {
    context.terminal.out(pretty(regions));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& region : regions.as_array())
    rows.push_back({text_at(region, "name"), text_at(region, "description")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command regions() {
  return {.name = "regions",
          .usage = "",
          .summary = "list where apps run",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

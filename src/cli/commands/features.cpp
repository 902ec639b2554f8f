#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/features"));
  const auto features = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(features));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& feature : features.as_array())
    rows.push_back({flag_at(feature, "enabled") ? "[+]" : "[ ]", text_at(feature, "name"),
                    text_at(feature, "description")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command features() {
  return {.name = "features",
          .usage = "",
          .summary = "list an app's features and which are enabled",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto sizes = TRY(TRY(context.platform())->get("/dyno-sizes"));
  if (context.has("json")) {
    context.terminal.out(pretty(sizes));
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"size", "memory", "compute"}};
  for (const auto& size : sizes.as_array())
    rows.push_back({text_at(size, "name"), fmt::format("{} GB", text_at(size, "memory")),
                    text_at(size, "compute")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command ps_sizes() {
  return {.name = "ps:sizes",
          .usage = "",
          .summary = "list the sizes that dynos come in",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/config-vars"));
  const auto vars = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(vars));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : vars.as_object()) {
    const std::string text(value.as_string());
    if (context.has("shell"))
      context.terminal.line(fmt::format("{}={}", std::string_view(name), text::shell_quote(text)));
    rows.push_back({std::string(name) + ":", text});
  }
  if (!context.has("shell")) context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command config() {
  return {.name = "config",
          .usage = "",
          .summary = "show an app's config vars",
          .help = R"()",
          .flags = {app_flag, json_flag, {"shell", 's', "", "print NAME=value lines for a shell"}},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/dynos"));
  const auto dynos = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(dynos));
    return 0;
  }
  std::map<std::string, std::vector<const json::value*>> types;
  for (const auto& dyno : dynos.as_array()) types[text_at(dyno, "type")].push_back(&dyno);
  for (const auto& [type, all] : types) {
    if (!context.arguments.empty() &&
        std::ranges::find(context.arguments, type) == context.arguments.end())
      continue;
    context.terminal.line(fmt::format("=== {} ({}): {} ({})", type, text_at(*all.front(), "size"),
                                      text_at(*all.front(), "command"), all.size()));
    for (const auto* dyno : all)
      context.terminal.line(fmt::format("{}: {} {}", text_at(*dyno, "name"),
                                        text_at(*dyno, "state"),
                                        when(text_at(*dyno, "updated_at"))));
  }
  if (dynos.as_array().empty())
    context.terminal.say(fmt::format("No dynos on {}", TRY(context.app())));
  return 0;
}

}  // namespace

Command ps() {
  return {.name = "ps",
          .usage = "[TYPE ...]",
          .summary = "list an app's dynos",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// "web=Standard-2X" for one type, "Standard-2X" for all of them.
Result<json::array> changes(Context& context, const json::value& formation) {
  json::array updates;
  for (const auto& argument : context.arguments) {
    const auto [type, size] = text::split_once(argument, '=');
    if (argument.find('=') != std::string::npos) {
      if (type.empty() || size.empty())
        return fail(Kind::invalid, fmt::format("{} is not TYPE=SIZE, such as web=Standard-2X. "
                                               "Nothing was changed.",
                                               argument));
      updates.push_back(json::object{{"type", type}, {"size", size}});
      continue;
    }
    for (const auto& process : formation.as_array())
      updates.push_back(json::object{{"type", text_at(process, "type")}, {"size", argument}});
  }
  return updates;
}

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/formation"));
  auto formation = TRY(platform->get(path));
  const auto updates = TRY(changes(context, formation));
  if (!updates.empty()) {
    TRY(platform->patch(path, json::object{{"updates", updates}}));
    formation = TRY(platform->get(path));
    context.terminal.say("Scaling dynos... done");
  }
  if (context.has("json")) {
    context.terminal.out(pretty(formation));
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"type", "size", "quantity"}};
  for (const auto& process : formation.as_array())
    rows.push_back(
        {text_at(process, "type"), text_at(process, "size"), text_at(process, "quantity")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command ps_type() {
  return {.name = "ps:type",
          .usage = "[SIZE | TYPE=SIZE ...]",
          .summary = "show or change the sizes of dynos",
          .help = R"(`renga ps:sizes` lists the sizes.

Examples:
  $ renga ps:type standard-2x
  $ renga ps:type web=standard-2x worker=standard-1x)",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli

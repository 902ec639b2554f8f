#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/log-drains"));
  const auto drains = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(drains));
    return 0;
  }
  if (drains.as_array().empty()) {
    context.terminal.say(TRY(context.app()) + " has no drains.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& drain : drains.as_array())
    rows.push_back({text_at(drain, "url"), text_at(drain, "token"), text_at(drain, "addon.name")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command drains() {
  return {
      .name = "drains",
      .usage = "",
      .summary = "list where an app's log is delivered to",
      .help =
          R"(Passwords and the values of queries are shown as ****. The token, which begins with d., names
the drain for drains:remove. Behind it is the add-on whose provider has it, if one does.)",
      .flags = {app_flag, json_flag},
      .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/collaborators"));
  const auto people = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(people));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : people.as_array()) {
    std::vector<std::string> permissions;
    for (const auto& permission : one.at("permissions").as_array())
      permissions.push_back(text_at(permission, "name"));
    rows.push_back(
        {text_at(one, "user.email"), text_at(one, "role"), text::join(permissions, ", ")});
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command access() {
  return {
      .name = "access",
      .usage = "",
      .summary = "list who may use an app, and what they may do",
      .help =
          R"(view: see the app, its releases and its log. deploy: push, release and set config vars.
operate: scale, restart and run dynos, domains, add-ons. manage: rename, share and destroy it.)",
      .flags = {app_flag, json_flag},
      .run = run};
}

}  // namespace renga::cli

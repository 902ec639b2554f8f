#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  auto which = context.arguments.empty() ? std::string() : context.arguments[0];
  if (which.empty()) which = text_at(TRY(context.newest_release()), "version");
  if (which.starts_with('v')) which.erase(0, 1);
  const auto release =
      TRY(platform->get(TRY(context.path("/releases/" + text::url_encode(which)))));
  if (context.has("json")) {
    context.terminal.out(pretty(release));
    return 0;
  }
  context.terminal.line("=== Release v" + text_at(release, "version"));
  context.terminal.out(columns({{"By:", text_at(release, "user.email")},
                                {"Change:", text_at(release, "description")},
                                {"Status:", text_at(release, "status")},
                                {"When:", when(text_at(release, "created_at"))}}));
  const auto vars = TRY(platform->get(
      TRY(context.path("/releases/" + text_at(release, "version") + "/config-vars"))));
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : vars.as_object())
    rows.push_back({std::string(name) + ":", std::string(value.as_string())});
  context.terminal.line("=== Config vars");
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command releases_info() {
  return {.name = "releases:info",
          .usage = "[RELEASE]",
          .summary = "show a release and its config vars",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto releases_path = TRY(context.path("/releases"));
  auto which = context.arguments.empty() ? std::string() : context.arguments[0];
  if (which.empty()) {
    const auto newest = TRY(platform->get(releases_path, "version ..; order=desc, max=20"));
    bool passed_current = false;
    for (const auto& release : newest.as_array()) {
      if (passed_current && flag_at(release, "eligible_for_rollback")) {
        which = text_at(release, "version");
        break;
      }
      passed_current = passed_current || flag_at(release, "current");
    }
    if (which.empty()) return fail(Kind::not_found, "There is no earlier release to go back to.");
  }
  if (which.starts_with('v')) which.erase(0, 1);
  const auto release = TRY(platform->post(releases_path, json::object{{"release", which}}));
  context.terminal.say(fmt::format("Rolling back {} to v{}... done, v{}", TRY(context.app()), which,
                                   text_at(release, "version")));
  return 0;
}

}  // namespace

Command releases_rollback() {
  return {.name = "releases:rollback",
          .usage = "[RELEASE]",
          .summary = "go back to an earlier release: its slug and its config vars",
          .help = R"(Without a release: the one before the current one.

Example:
  $ renga releases:rollback v12)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

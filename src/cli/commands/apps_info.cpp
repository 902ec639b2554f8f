#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/git_remotes.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path());
  auto* platform = TRY(context.platform());
  const auto app = TRY(platform->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(app));
    return 0;
  }
  context.terminal.line("=== " + text_at(app, "name"));
  context.terminal.out(
      columns({{"Git URL:", git_url(platform->settings(), text_at(app, "name"))},
               {"Owner:", text_at(app, "owner.email")},
               {"Region:", text_at(app, "region.name")},
               {"Stack:", text_at(app, "stack.name")},
               {"Maintenance:", flag_at(app, "maintenance") ? "on" : "off"},
               {"Slug size:", fmt::format("{} kB", number_at(app, "slug_size") / 1000)},
               {"Web URL:", text_at(app, "web_url")}}));
  return 0;
}

}  // namespace

Command apps_info() {
  return {.name = "apps:info",
          .usage = "",
          .summary = "show an app",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli

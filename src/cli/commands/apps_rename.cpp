#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/git_remotes.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which name? `renga apps:rename NEW --app OLD`.");
  const auto path = TRY(context.path());
  const auto app =
      TRY(TRY(context.platform())->patch(path, json::object{{"name", context.arguments[0]}}));
  context.terminal.say(fmt::format("Renamed to {}", text_at(app, "name")));
  context.terminal.line(text_at(app, "web_url"));
  const auto& directory = context.surroundings.directory;
  const auto& settings = TRY(context.platform())->settings();
  const auto old = path.substr(path.rfind('/') + 1);
  for (const auto& remote : app_remotes(directory, settings.host(), ""))
    if (remote.app == old)
      TRY(set_app_remote(directory, settings, context.surroundings.program, remote.name,
                         text_at(app, "name")));
  return 0;
}

}  // namespace

Command apps_rename() {
  return {.name = "apps:rename",
          .usage = "NEW",
          .summary = "rename an app",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

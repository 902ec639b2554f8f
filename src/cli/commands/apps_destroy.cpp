#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/git_remotes.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (!context.arguments.empty()) context.flags["app"] = context.arguments[0];
  const auto name = TRY(context.app());
  auto confirmed = context.flag("confirm");
  if (confirmed.empty())
    confirmed = context.terminal.ask(
        fmt::format(" !    This destroys {} for good. Type its name to go on: ", name), false);
  if (confirmed != name)
    return fail(Kind::invalid,
                fmt::format("\"{}\" is not {}. Nothing was destroyed.", confirmed, name));

  auto* platform = TRY(context.platform());
  TRY(platform->remove(TRY(context.path())));
  const auto& directory = context.surroundings.directory;
  for (const auto& remote : app_remotes(directory, platform->settings().host(), ""))
    if (remote.app == name) remove_app_remote(directory, remote.name);
  context.terminal.say(fmt::format("Destroying {}... done", name));
  return 0;
}

}  // namespace

Command apps_destroy() {
  return {.name = "apps:destroy",
          .usage = "[NAME]",
          .summary = "destroy an app, its dynos, releases and logs",
          .help = R"(Asks for the app's name, unless --confirm gives it.)",
          .flags = {app_flag, {"confirm", 'c', "NAME", "the app's name, instead of being asked"}},
          .run = run};
}

}  // namespace renga::cli

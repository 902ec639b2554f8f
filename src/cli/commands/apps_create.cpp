#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/git_remotes.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  json::object wanted;
  if (!context.arguments.empty()) wanted["name"] = context.arguments[0];
  if (context.has("stack")) wanted["stack"] = context.flag("stack");

  const auto app = TRY(platform->post("/apps", wanted));
  const auto name = text_at(app, "name");
  context.terminal.say(fmt::format("Creating {}... done", name));
  context.terminal.line(
      fmt::format("{} | {}", text_at(app, "web_url"), git_url(platform->settings(), name)));

  if (!context.has("no-remote") && in_repository(context.surroundings.directory)) {
    const auto remote = context.flag("remote", "renga");
    TRY(set_app_remote(context.surroundings.directory, platform->settings(),
                       context.surroundings.program, remote, name));
    context.terminal.say(
        fmt::format("Added the git remote {}: deploy with `git push {} main`.", remote, remote));
  }
  return 0;
}

}  // namespace

Command apps_create() {
  return {
      .name = "apps:create",
      .usage = "[NAME]",
      .summary = "create an app",
      .help =
          R"(In a git repository, also adds the remote "renga" (or --remote's), so that `git push renga main` deploys.

Example:
  $ renga apps:create sushi
  $ git push renga main)",
      .flags = {{"stack", 's', "NAME", "the stack to build on"},
                {"no-remote", 'n', "", "leave the git remotes alone"}},
      .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/git_remotes.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  if (!in_repository(context.surroundings.directory))
    return fail(Kind::invalid, "This directory is no git repository. Make one with `git init`.");
  const auto app = TRY(platform->get(TRY(context.path())));
  const auto remote = context.flag("remote", "renga");
  TRY(set_app_remote(context.surroundings.directory, platform->settings(),
                     context.surroundings.program, remote, text_at(app, "name")));
  context.terminal.say(fmt::format("The git remote {} is {}: deploy with `git push {} main`.",
                                   remote, git_url(platform->settings(), text_at(app, "name")),
                                   remote));
  return 0;
}

}  // namespace

Command git_remote() {
  return {.name = "git:remote",
          .usage = "",
          .summary = "add a git remote that deploys to an app",
          .help = R"(Example:
  $ renga git:remote -a sushi
  $ git push renga main)",
          .flags = {{"app", 'a', "NAME", "the app"}},
          .run = run};
}

}  // namespace renga::cli

#include "cli/git_clone.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto name = text_at(TRY(platform->get(TRY(context.path()))), "name");
  const auto directory =
      context.surroundings.directory / (context.arguments.empty() ? name : context.arguments[0]);
  if (std::filesystem::exists(directory) && !std::filesystem::is_empty(directory))
    return fail(Kind::invalid, fmt::format("{} is there already, and not empty. Name another "
                                           "directory.",
                                           directory.string()));
  const auto remote = context.flag("remote", "renga");
  TRY(clone_app(directory, platform->settings(), context.surroundings.program, remote, name));
  context.terminal.say(fmt::format("Cloned {} into {}.", name, directory.string()));
  return 0;
}

}  // namespace

Command git_clone() {
  return {
      .name = "git:clone",
      .usage = "[DIRECTORY]",
      .summary = "clone an app's code",
      .help =
          R"(What was pushed to it, into a directory of its name, with the remote "renga" (or --remote's).

Example:
  $ renga git:clone -a sushi)",
      .flags = {{"app", 'a', "NAME", "the app"}},
      .run = run};
}

}  // namespace renga::cli

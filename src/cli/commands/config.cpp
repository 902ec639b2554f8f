#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/config_text.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/config-vars"));
  const auto vars = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(vars));
    return 0;
  }
  if (context.has("shell")) {
    context.terminal.out(shell_lines(vars_in(vars)));
    return 0;
  }
  // A program that reads this wants the values; a terminal may be seen by others.
  const bool whole = context.has("reveal") || !context.terminal.interactive();
  bool hidden = false;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : vars_in(vars)) {
    hidden = hidden || (!whole && masked(name, value) != value);
    rows.push_back({name + ":", whole ? value : masked(name, value)});
  }
  context.terminal.out(columns(rows));
  if (hidden) context.terminal.say("(secrets are hidden; --reveal shows them)");
  return 0;
}

}  // namespace

Command config() {
  return {
      .name = "config",
      .usage = "",
      .summary = "show an app's config vars",
      .help =
          R"page(At a terminal, secrets are hidden: values of names like API_KEY or PASSWORD, and
passwords in URLs. Into a pipe or a file, and as JSON or for a shell, everything goes as it is.

Examples:
  $ renga config --reveal
  $ eval "$(renga config --shell -a sushi)")page",
      .flags = {app_flag,
                json_flag,
                {"shell", 's', "", "print NAME=value lines for a shell"},
                {"reveal", 'r', "", "show secrets at a terminal too"}},
      .run = run};
}

}  // namespace renga::cli

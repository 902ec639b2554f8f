#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/commands/local_project.h"
#include "local/control.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto answers = TRY(local::ask(local::control_directory(context.surroundings.environment),
                                      local_directory(context), "ps"));
  std::vector<std::vector<std::string>> rows = {{"PROCESS", "STATE", "PID", "PORT", "SINCE"}};
  for (const auto& answer : answers) {
    for (const auto line : text::lines(answer)) {
      auto& row = rows.emplace_back();
      for (const auto word : text::split(line, ' ')) row.emplace_back(word);
      row.back() += " s";
    }
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command local_ps() {
  return {.name = "local:ps",
          .usage = "",
          .summary = "list what `renga local` runs in this directory",
          .help = "",
          .flags = {root_flag},
          .run = run};
}

}  // namespace renga::cli

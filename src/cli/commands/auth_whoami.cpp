#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto account = TRY(TRY(context.platform())->get("/account"));
  context.terminal.line(text_at(account, "email"));
  return 0;
}

}  // namespace

Command auth_whoami() {
  return {.name = "auth:whoami",
          .usage = "",
          .summary = "show whose token is used",
          .help = R"()",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli

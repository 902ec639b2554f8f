#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  context.terminal.line(TRY(context.platform())->settings().token);
  return 0;
}

}  // namespace

Command auth_token() {
  return {.name = "auth:token",
          .usage = "",
          .summary = "show the token that is used",
          .help = R"()",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli

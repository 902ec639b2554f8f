#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  context.terminal.line("renga " RENGA_VERSION);
  return 0;
}

}  // namespace

Command version() {
  return {.name = "version",
          .usage = "",
          .summary = "show the version of this program",
          .help = R"(`renga --version` does the same.)",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli

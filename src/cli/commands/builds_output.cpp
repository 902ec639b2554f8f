#include "cli/commands/commands.h"
#include "cli/follow_build.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  TRY(show_output(context, TRY(build_named(context))));
  return 0;
}

}  // namespace

Command builds_output() {
  return {.name = "builds:output",
          .usage = "[BUILD]",
          .summary = "show what a build printed, as it goes on",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

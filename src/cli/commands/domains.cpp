#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/domains"));
  const auto domains = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(domains));
    return 0;
  }
  for (const auto& domain : domains.as_array()) context.terminal.line(text_at(domain, "hostname"));
  return 0;
}

}  // namespace

Command domains() {
  return {.name = "domains",
          .usage = "",
          .summary = "list the host names an app answers at",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which host name? `renga domains:add www.example.com`.");
  const auto path = TRY(context.path("/domains"));
  const auto domain = TRY(TRY(context.platform())
                              ->post(path, json::object{{"hostname", context.arguments[0]},
                                                        {"sni_endpoint", nullptr}}));
  context.terminal.say(
      fmt::format("Adding {} to {}... done", text_at(domain, "hostname"), TRY(context.app())));
  return 0;
}

}  // namespace

Command domains_add() {
  return {.name = "domains:add",
          .usage = "HOSTNAME",
          .summary = "let an app answer at a host name",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

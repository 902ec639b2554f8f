#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Where to? `renga drains:add syslog+tls://logs.example.com:6514`.");
  const auto path = TRY(context.path("/log-drains"));
  const auto drain =
      TRY(TRY(context.platform())->post(path, json::object{{"url", context.arguments[0]}}));
  context.terminal.say(fmt::format("Adding drain {} to {}... done, {}", text_at(drain, "url"),
                                   TRY(context.app()), text_at(drain, "token")));
  return 0;
}

}  // namespace

Command drains_add() {
  return {
      .name = "drains:add",
      .usage = "URL",
      .summary = "deliver an app's log to a syslog or HTTP server",
      .help =
          R"(Every line of the log from now on is delivered: the app's, the router's and the platform's.
What cannot be delivered is tried again, and what is lost is said in the drain (L10).

Examples:
  $ renga drains:add https://user:secret@logs.example.com/intake
  $ renga drains:add syslog+tls://logs.example.com:6514
  $ renga drains:add syslog://logs.example.com:601)",
      .flags = {app_flag},
      .run = run};
}

}  // namespace renga::cli

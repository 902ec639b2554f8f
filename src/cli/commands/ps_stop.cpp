#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which dyno? `renga ps:stop run.4711`.");
  const auto& which = context.arguments[0];
  const auto below = which.find('.') == std::string::npos ? "/formations/" : "/dynos/";
  const auto path = TRY(context.path(below + text::url_encode(which) + "/actions/stop"));
  TRY(TRY(context.platform())->post(path, json::object()));
  context.terminal.say(fmt::format("Stopping {} on {}... done", which, TRY(context.app())));
  return 0;
}

}  // namespace

Command ps_stop() {
  return {
      .name = "ps:stop",
      .usage = "DYNO",
      .summary = "stop a dyno (web.1) or a type (web)",
      .help =
          R"(Formation dynos come back; one-off dynos do not. To stop a type for good: `renga ps:scale TYPE=0`.)",
      .flags = {app_flag},
      .run = run};
}

}  // namespace renga::cli

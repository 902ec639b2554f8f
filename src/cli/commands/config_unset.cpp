#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// "v12": the newest release of the app.
Result<std::string> newest_release(Context& context) {
  const auto path = TRY(context.path("/releases"));
  const auto newest = TRY(TRY(context.platform())->get(path, "version ..; order=desc, max=1"));
  return newest.as_array().empty() ? std::string("v?")
                                   : "v" + text_at(newest.as_array().front(), "version");
}

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which config var? `renga config:unset NAME`.");
  json::object changes;
  for (const auto& name : context.arguments) changes[name] = nullptr;
  const auto path = TRY(context.path("/config-vars"));
  TRY(TRY(context.platform())->patch(path, changes));
  context.terminal.say(fmt::format("Unsetting {} and restarting {}... done, {}",
                                   text::join(context.arguments, ", "), TRY(context.app()),
                                   TRY(newest_release(context))));
  return 0;
}

}  // namespace

Command config_unset() {
  return {.name = "config:unset",
          .usage = "NAME ...",
          .summary = "remove config vars and restart",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which config var? `renga config:unset NAME`.");
  json::object changes;
  for (const auto& name : context.arguments) changes[name] = nullptr;
  const auto path = TRY(context.path("/config-vars"));
  TRY(TRY(context.platform())->patch(path, changes));
  context.terminal.say(fmt::format("Unsetting {} and restarting {}... done, v{}",
                                   text::join(context.arguments, ", "), TRY(context.app()),
                                   text_at(TRY(context.newest_release()), "version")));
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

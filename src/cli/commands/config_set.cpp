#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/config_text.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which config var? `renga config:set NAME=value`.");
  json::object changes;
  std::vector<std::string> names;
  for (const auto& argument : context.arguments) {
    const auto [name, value] = text::split_once(argument, '=');
    if (name.empty() || name.size() == argument.size())
      return fail(Kind::invalid, fmt::format("{} is not NAME=value. Nothing was set.", argument));
    changes[name] = value;
    names.emplace_back(name);
  }
  const auto path = TRY(context.path("/config-vars"));
  TRY(TRY(context.platform())->patch(path, changes));
  context.terminal.say(fmt::format("Setting {} and restarting {}... done, v{}",
                                   text::join(names, ", "), TRY(context.app()),
                                   text_at(TRY(context.newest_release()), "version")));
  const bool whole = !context.terminal.interactive();
  for (const auto& [name, value] : changes) {
    const std::string_view text = value.as_string();
    context.terminal.line(fmt::format("{}: {}", std::string_view(name),
                                      whole ? std::string(text) : masked(name, text)));
  }
  return 0;
}

}  // namespace

Command config_set() {
  return {.name = "config:set",
          .usage = "NAME=value ...",
          .summary = "set config vars and restart",
          .help = R"(Example:
  $ renga config:set GREETING=hello DEBUG=0)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli

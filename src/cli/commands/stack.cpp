#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> list(Context& context) {
  auto* platform = TRY(context.platform());
  const auto app = TRY(platform->get(TRY(context.path())));
  const auto stacks = TRY(platform->get("/stacks"));
  if (context.has("json")) {
    context.terminal.out(pretty(stacks));
    return 0;
  }
  const auto now = text_at(app, "stack.name");
  const auto next = text_at(app, "build_stack.name");
  context.terminal.line(fmt::format("=== {} Available Stacks", text_at(app, "name")));
  for (const auto& stack : stacks.as_array()) {
    const auto name = text_at(stack, "name");
    context.terminal.line(
        fmt::format("{} {}{}", name == now ? "*" : " ", name,
                    name == next && next != now ? " (active on next deploy)" : ""));
  }
  return 0;
}

Result<int> set(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which stack? `renga stack` lists them.");
  const auto path = TRY(context.path());
  const auto app = TRY(
      TRY(context.platform())->patch(path, json::object{{"build_stack", context.arguments[0]}}));
  context.terminal.say(fmt::format("Setting stack to {}... done. The next build is made on it.",
                                   text_at(app, "build_stack.name")));
  return 0;
}

}  // namespace

Command stack() {
  return {.name = "stack",
          .usage = "",
          .summary = "list the stacks, and which one an app is on",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = list};
}

Command stack_set() {
  return {.name = "stack:set",
          .usage = "STACK",
          .summary = "choose the stack of an app's next build",
          .help = R"()",
          .flags = {app_flag},
          .run = set};
}

}  // namespace renga::cli

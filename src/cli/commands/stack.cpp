#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/stack_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> list(Context& context) {
  auto& platform = *TRY(context.platform());
  const auto app = TRY(platform.get(TRY(context.path())));
  const auto now = text_at(app, "stack.name");
  const auto next = text_at(app, "build_stack.name");
  const auto all = TRY(platform.get("/stacks"));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  context.terminal.say(fmt::format("=== {} Available Stacks", TRY(context.app())));
  for (const auto& each : all.as_array()) {
    const auto name = text_at(each, "name");
    context.terminal.line(fmt::format("{} {}{}", name == now ? "*" : " ", name,
                                      name == next && next != now ? " (the next build's)" : ""));
  }
  return 0;
}

Result<int> set(Context& context) {
  if (context.arguments.size() != 1)
    return fail(Kind::invalid, "Which stack? `renga stack:set debian-13`.");
  const auto path = TRY(context.path());
  const auto app = TRY(
      TRY(context.platform())->patch(path, json::object{{"build_stack", context.arguments[0]}}));
  const auto next = text_at(app, "build_stack.name");
  context.terminal.say(fmt::format("Setting stack to {}... done", next));
  if (next != text_at(app, "stack.name"))
    context.terminal.say(fmt::format("You will need to redeploy {} for the change to take effect.",
                                     text_at(app, "name")));
  return 0;
}

Result<int> install(Context&) {
  return fail(Kind::unsupported, "This program is the CLI alone; it has no server in it.");
}

}  // namespace

Command stack() {
  return {
      .name = "stack",
      .usage = "",
      .summary = "list the stacks, and which one an app is on",
      .help =
          R"(A stack is the file system that an app is built and run on. `host` is the server's own; its
operator adds others with `renga stacks:install`.)",
      .flags = {app_flag, json_flag},
      .run = list};
}

Command stack_set() {
  return {.name = "stack:set",
          .usage = "STACK",
          .summary = "choose the stack of an app's next build",
          .help = R"(Example:
  $ renga stack:set debian-13)",
          .flags = {app_flag},
          .run = set};
}

// main.cpp runs it; here is only its page.
Command stacks_install() {
  return {
      .name = "stacks:install",
      .usage = "NAME",
      .summary = "make a stack that apps can be built and run on",
      .help =
          R"(Run it as root on the server's machine. `debian-13` has Python 3.13, Ruby, PHP, Node.js, Java, Go and
compilers; its packages come from the Debian mirror of the machine's apt, or from --mirror. It needs
3 GB, and some minutes. What was killed half way goes on where it was. A stack that is there already is
made anew, with today's packages; dynos change to it when they start next.

It counts from the server's next start (dynos run on meanwhile), for new apps too. An app that is there
changes with `renga stack:set NAME`.)",
      .flags = {{"data", 0, "DIR", "the data directory (root: /var/lib/renga)"},
                {"mirror", 0, "URL", "a mirror of Debian"},
                {"security-mirror", 0, "URL", "a mirror of its security updates"}},
      .run = install,
      .hidden = true};
}

}  // namespace renga::cli

#include "base/text.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  // git also says "store" and "erase"; tokens are kept elsewhere.
  if (context.arguments.empty() || context.arguments[0] != "get") return 0;
  std::string host;
  for (;;) {
    const auto line = context.terminal.ask("", false);
    if (line.empty()) break;
    const auto [key, value] = text::split_once(line, '=');
    if (key == "host") host = value;
  }
  auto* platform = TRY(context.platform());
  if (host != platform->settings().host()) return 0;
  context.terminal.line("username=renga");
  context.terminal.line("password=" + platform->settings().token);
  return 0;
}

}  // namespace

Command git_credentials() {
  return {
      .name = "git:credentials",
      .usage = "get",
      .summary = "answer git as its credential helper",
      .help =
          R"(`renga git:remote` sets it up. git asks on standard input; the token is given only for the server's own host.)",
      .flags = {},
      .run = run};
}

}  // namespace renga::cli

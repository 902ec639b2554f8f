#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

// The server that answers at `host`: the one that commands use, or another that there is a login
// of. A token never goes to a host that it was not given for.
std::optional<client::Settings> server_at(const Context& context, const std::string& host) {
  const auto used = client::find_settings(context.surroundings, context.flag("url"));
  if (used && used->host() == host) return *used;
  auto surroundings = context.surroundings;
  for (const auto* variable : {"RENGA_URL", "RENGA_TOKEN", "RENGA_CA"})
    surroundings.environment.erase(variable);
  for (const auto* scheme : {"https://", "http://"})
    if (const auto known = client::find_settings(surroundings, scheme + host)) return *known;
  return std::nullopt;
}

Result<int> run(Context& context) {
  // git also says "store" and "erase"; tokens are kept elsewhere.
  if (context.arguments.empty() || context.arguments[0] != "get") return 0;
  std::string host;
  std::string protocol;
  for (;;) {
    const auto line = context.terminal.ask("", false);
    if (line.empty()) break;
    const auto [key, value] = text::split_once(line, '=');
    if (key == "host") host = value;
    if (key == "protocol") protocol = value;
  }
  if (protocol != "https" || host.empty()) return 0;
  const auto server = server_at(context, host);
  if (!server) {
    context.terminal.say(
        fmt::format("renga: no token is known for {}. Sign in with `renga login --url https://{}`.",
                    host, host));
    return 0;
  }
  context.terminal.line("username=renga");
  context.terminal.line("password=" + server->token);
  return 0;
}

}  // namespace

Command git_credentials() {
  return {
      .name = "git:credentials",
      .usage = "get",
      .summary = "answer git as its credential helper",
      .help =
          R"(`renga git:remote` sets it up. git asks on standard input; a token is given over https only, and only for the
host of its own server.)",
      .flags = {},
      .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  client::Settings settings;
  settings.url = client::server_url(context.flag("url"));
  if (settings.url.empty())
    return fail(Kind::invalid, "Which server? `renga login --url https://HOST:7373`.");
  std::string ca;
  if (context.has("ca")) {
    settings.ca = context.surroundings.directory / context.flag("ca");
    std::ifstream file(settings.ca);
    ca.assign(std::istreambuf_iterator<char>(file), {});
    if (ca.find("BEGIN CERTIFICATE") == std::string::npos)
      return fail(Kind::invalid, fmt::format("{} is no certificate in PEM. Copy the server's "
                                             "ca.pem, which is in its data directory.",
                                             settings.ca.string()));
  }
  if (settings.url.starts_with("http://") && !settings.is_loopback())
    context.terminal.say(fmt::format(
        " !    {} is not encrypted: whoever sees the traffic has the token. Use https://.",
        settings.url));

  settings.token = text::trim(context.terminal.ask("Token: ", true));
  const auto transport = context.make_transport(settings.ca);
  client::Platform platform(settings, *transport);
  const auto account = TRY(platform.get("/account"));

  client::save_login(context.surroundings, settings, ca);
  context.terminal.say(
      fmt::format("Logged in to {} as {}.", settings.url, text_at(account, "email")));
  return 0;
}

}  // namespace

Command login() {
  return {
      .name = "login",
      .usage = "",
      .summary = "save a server and its token",
      .help =
          R"(Asks for the token (admin.token of the server's data directory, or one made with its API) and keeps it for the
commands that follow. A server with a CA of its own: name its ca.pem with --ca.

Example:
  $ renga login --url https://paas.example.com:7373 --ca ca.pem)",
      .flags = {{"ca", 0, "FILE", "the server's ca.pem"}},
      .run = run};
}

}  // namespace renga::cli

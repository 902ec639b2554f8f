#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto surroundings = context.surroundings;
  if (context.has("data")) {
    surroundings.data_directory = std::filesystem::absolute(context.flag("data"));
    surroundings.data_directory_named = true;
    for (const auto* variable : {"RENGA_URL", "RENGA_TOKEN", "RENGA_CA"})
      surroundings.environment.erase(variable);
  }
  const auto settings = TRY(client::find_settings(surroundings, context.flag("url")));
  auto here = settings;  // as Heroku's CLI is to see it
  if (context.has("proxy")) {
    const auto port = text::number(context.flag("proxy"));
    if (!port || *port < 1 || *port > 65'535)
      return fail(Kind::invalid, "--proxy takes the port that `renga proxy` listens on.");
    here.url = fmt::format("http://localhost:{}", *port);
  }
  const auto host = here.host();
  const auto name = here.name();
  // Told of any other host, Heroku's CLI warns and goes on against api.heroku.com, with our token.
  if (name != "localhost" && name != "127.0.0.1")
    return fail(Kind::unsupported,
                fmt::format("Heroku's CLI talks to localhost and 127.0.0.1 alone, and would send "
                            "the token of {} to Heroku. Run `renga proxy --url {}` on this "
                            "machine, then `renga env --url {} --proxy 7373`. renga's own commands "
                            "work without that.",
                            settings.url, settings.url, settings.url));

  const auto line = [&](std::string_view variable, std::string_view value) {
    context.terminal.line(fmt::format("export {}={}", variable, text::shell_quote(value)));
  };
  // What is left out here, the CLI asks at Heroku's own hosts, some of them with the token.
  for (const auto* variable :
       {"HEROKU_HOST", "HEROKU_PARTICLEBOARD_URL", "HEROKU_BUILDPACK_REGISTRY_URL",
        "HEROKU_LOGIN_HOST", "HEROKU_STATUS_HOST"})
    line(variable, here.url);
  line("HEROKU_GIT_HOST", host);
  line("HEROKU_DATA_HOST", name);
  line("HEROKU_EXEC_URL", "https://" + host);
  line("HEROKU_API_KEY", settings.token);
  line("DISABLE_TELEMETRY", "true");
  line("HEROKU_SKIP_NEW_VERSION_CHECK", "true");
  if (!settings.ca.empty()) {
    line("NODE_EXTRA_CA_CERTS", settings.ca.string());
    line("GIT_SSL_CAINFO", settings.ca.string());
  }
  line("RENGA_URL", settings.url);
  line("RENGA_TOKEN", settings.token);
  if (!settings.ca.empty()) line("RENGA_CA", settings.ca.string());
  return 0;
}

}  // namespace

Command env() {
  return {
      .name = "env",
      .usage = "",
      .summary = "print what points Heroku's own CLI and git at this server",
      .help =
          R"page(Prints `export` lines for a shell, the token among them. renga itself follows them too.

Example:
  $ eval "$(renga env)"
  $ heroku apps)page",
      .flags = {{"data", 0, "DIR", "the server's data directory"},
                {"proxy", 0, "PORT", "through a `renga proxy` on this port of this machine"}},
      .run = run};
}

}  // namespace renga::cli

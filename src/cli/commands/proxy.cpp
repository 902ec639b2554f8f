#include "client/proxy.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/app_commands.h"
#include "net/socket.h"
#include "os/signal_fd.h"

namespace renga::cli {
namespace {

client::Endpoint endpoint_of(const client::Settings& settings) {
  const auto host = settings.host();
  const auto colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  return {settings.name(), has_port ? host.substr(colon + 1) : "443"};
}

Result<int> run(Context& context) {
  const auto settings = TRY(client::find_settings(context.surroundings, context.flag("url")));
  if (!settings.url.starts_with("https://"))
    return fail(Kind::invalid,
                fmt::format("{} is not reached over TLS: whoever sees the traffic would have the "
                            "token. `renga login --url https://… --ca ca.pem`.",
                            settings.url));
  client::Proxy proxy(endpoint_of(settings), {.ca = settings.ca});
  TRY(proxy.check());

  // Before any thread is made, so that Ctrl-C is heard of below, and by nothing else.
  const os::SignalFd ended({SIGINT, SIGTERM});

  const auto port = text::number(context.flag("port", "7373"));
  if (!port || *port < 0 || *port > 65'535)
    return fail(Kind::invalid, "--port takes a number from 0 to 65535.");
  os::Fd listener;
  try {
    listener = net::listen_tcp(fmt::format("127.0.0.1:{}", *port));
  } catch (const std::exception& trouble) {
    return fail(Kind::unavailable,
                fmt::format("{}. Choose another port with --port.", trouble.what()));
  }
  const auto chosen = net::local_address(listener.get()).port();
  context.terminal.line(
      fmt::format("renga: proxy listen=http://localhost:{} server={}", chosen, settings.url));
  context.terminal.say(
      fmt::format("In another terminal: eval \"$(renga env --url {} --proxy "
                  "{})\". Ctrl-C ends it.",
                  text::shell_quote(settings.url), chosen));
  proxy.serve(listener.get(), ended.fd());
  return 0;
}

}  // namespace

Command proxy() {
  return {
      .name = "proxy",
      .usage = "",
      .summary = "make a server elsewhere answer on this machine, for Heroku's CLI",
      .help =
          R"page(Heroku's CLI sends tokens to localhost alone. This forwards a port of 127.0.0.1 to the server: what comes in
clear text is carried over TLS, whose certificate is checked; git, `heroku run` and log streams speak TLS
themselves and are passed on as they are. No token is added.

Example:
  $ renga proxy --url https://paas.example.com:7373 &
  $ eval "$(renga env --url https://paas.example.com:7373 --proxy 7373)"
  $ heroku apps && git push heroku main)page",
      .flags = {{"port", 'p', "PORT", "of 127.0.0.1 (default 7373; 0: any that is free)"}},
      .run = run};
}

}  // namespace renga::cli

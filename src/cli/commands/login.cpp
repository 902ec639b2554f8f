#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/sign_in.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto settings = TRY(named_server(context));
  if (context.has("interactive") || context.has("email")) {
    auto email = context.flag("email");
    if (email.empty()) email = text::trim(context.terminal.ask("Email: ", false));
    const auto password = context.terminal.ask("Password: ", true);
    return sign_in(context, std::move(settings), email, password);
  }
  settings.token = text::trim(context.terminal.ask("Token: ", true));
  return save_login(context, settings);
}

}  // namespace

Command login() {
  return {
      .name = "login",
      .usage = "",
      .summary = "save a server and its token",
      .help =
          R"(Asks for the token (admin.token of the server's data directory, or one of `renga authorizations:create`)
and keeps it for the commands that follow. With -i it asks for an e-mail address and a password, and the code of
a second factor where there is one, and makes a token that lasts 30 days. A server with a CA of its own: name its
ca.pem with --ca.

Examples:
  $ renga login --url https://paas.example.com:7373 --ca ca.pem
  $ renga login -i --url https://paas.example.com:7373 --ca ca.pem)",
      .flags = {{"ca", 0, "FILE", "the server's ca.pem"},
                {"interactive", 'i', "", "with an e-mail address and a password"},
                {"email", 0, "EMAIL", "the same, for this address"}},
      .run = run};
}

}  // namespace renga::cli

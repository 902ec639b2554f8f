#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"
#include "cli/sign_in.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// The one call beside login that is made without a token: whoever has the reset's token has no
// other yet.
Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which? `renga accounts:activate TOKEN --url https://HOST:7373`.");
  auto settings = TRY(named_server(context));
  const auto transport = context.make_transport(settings.ca);
  client::Platform platform(settings, *transport);
  const auto password = TRY(new_password(context));
  const auto done = TRY(platform.post(
      fmt::format("/password-resets/{}/actions/finalize", text::url_encode(context.arguments[0])),
      json::object{{"password", password}, {"password_confirmation", password}}));
  const auto email = text_at(done, "user.email");
  context.terminal.say(fmt::format("The password of {} is set.", email));
  return sign_in(context, std::move(settings), email, password);
}

}  // namespace

Command accounts_activate() {
  return {
      .name = "accounts:activate",
      .usage = "TOKEN",
      .summary = "set a password with what an administrator handed over",
      .help = R"(Asks for the new password, sets it and logs in. The token works once, for a week.

Example:
  $ renga accounts:activate 5d1c… --url https://paas.example.com:7373 --ca ca.pem)",
      .flags = {{"ca", 0, "FILE", "the server's ca.pem"}},
      .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> show(Context& context) {
  const auto account = TRY(TRY(context.platform())->get("/account"));
  context.terminal.line(
      fmt::format("Two-factor authentication is {}.",
                  flag_at(account, "two_factor_authentication") ? "enabled" : "not enabled"));
  return 0;
}

Result<int> enable(Context& context) {
  auto* platform = TRY(context.platform());
  const auto begun = TRY(platform->post("/account/two-factor", json::object()));
  context.terminal.line("Give this to your authenticator app, as a QR code or by hand:");
  context.terminal.line("  " + text_at(begun, "url"));
  context.terminal.line("  secret: " + text_at(begun, "secret"));
  const auto code = context.terminal.ask("The code that it shows: ", false);
  const auto done =
      TRY(platform->post("/account/two-factor/actions/confirm", json::object{{"code", code}}));
  context.terminal.line("Enabled. Keep these recovery codes; each works once, without the app:");
  for (const auto& recovery : done.at("recovery_codes").as_array())
    context.terminal.line("  " + std::string(recovery.as_string()));
  return 0;
}

Result<int> disable(Context& context) {
  auto* platform = TRY(context.platform());
  const auto code =
      context.terminal.ask("The code that your app shows, or a recovery code: ", false);
  TRY(platform->remove("/account/two-factor", json::object{{"code", code}}));
  context.terminal.say("Two-factor authentication is not enabled any more.");
  return 0;
}

}  // namespace

Command auth_2fa() {
  return {.name = "auth:2fa",
          .usage = "",
          .summary = "show whether a code is asked for beside your password",
          .help = R"()",
          .flags = {},
          .run = show};
}

Command auth_2fa_enable() {
  return {
      .name = "auth:2fa:enable",
      .usage = "",
      .summary = "have a code asked for beside your password",
      .help =
          R"(Any authenticator app will do (TOTP). Tokens that are there stay good without it.)",
      .flags = {},
      .run = enable};
}

Command auth_2fa_disable() {
  return {.name = "auth:2fa:disable",
          .usage = "",
          .summary = "have no code asked for any more",
          .help = R"()",
          .flags = {},
          .run = disable};
}

}  // namespace renga::cli

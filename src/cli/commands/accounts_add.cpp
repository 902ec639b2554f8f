#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// What the administrator hands over: the token is worth an account until it is used.
void hand_over(Context& context, const std::string& email, const json::value& reset,
               const std::string& server) {
  context.terminal.say(fmt::format("{} sets a password with this, once, until {}:", email,
                                   text_at(reset, "expires_at")));
  context.terminal.line(fmt::format("renga accounts:activate {} --url {}", text_at(reset, "token"),
                                    text::shell_quote(server)));
}

Result<int> add(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Whom? `renga accounts:add ada@example.com`.");
  auto* platform = TRY(context.platform());
  json::object wanted{{"email", context.arguments[0]}, {"admin", context.has("admin")}};
  if (context.has("name")) wanted["name"] = context.flag("name");
  const auto made = TRY(platform->post("/accounts", wanted));
  context.terminal.say(fmt::format("Adding {}... done", text_at(made, "email")));
  hand_over(context, text_at(made, "email"), made.at("password_reset"), platform->settings().url);
  return 0;
}

Result<int> reset(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Whose? `renga accounts:reset-password ada@example.com`.");
  auto* platform = TRY(context.platform());
  const auto made =
      TRY(platform->post("/password-resets", json::object{{"email", context.arguments[0]}}));
  hand_over(context, context.arguments[0], made, platform->settings().url);
  return 0;
}

}  // namespace

Command accounts_add() {
  return {
      .name = "accounts:add",
      .usage = "EMAIL",
      .summary = "make an account for somebody",
      .help =
          R"(For administrators. Prints a command to hand over, with which they set their password.

Example:
  $ renga accounts:add ada@example.com --name "Ada Lovelace")",
      .flags = {{"name", 0, "NAME", "the person's name"},
                {"admin", 0, "", "an administrator, who sees and may do everything"}},
      .run = add};
}

Command accounts_reset_password() {
  return {.name = "accounts:reset-password",
          .usage = "EMAIL",
          .summary = "let somebody who forgot the password set another",
          .help = R"(For administrators. Prints a command to hand over.)",
          .flags = {},
          .run = reset};
}

}  // namespace renga::cli

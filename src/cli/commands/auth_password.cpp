#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"
#include "cli/sign_in.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  json::object wanted;
  const auto current = context.terminal.ask("Present password (empty: none yet): ", true);
  if (!current.empty()) wanted["password"] = current;
  wanted["new_password"] = TRY(new_password(context));
  TRY(platform->patch("/account", wanted));
  context.terminal.say("Your password is changed. Tokens stay good: `renga authorizations`.");
  return 0;
}

}  // namespace

Command auth_password() {
  return {.name = "auth:password",
          .usage = "",
          .summary = "change your password",
          .help = R"(Asks for the present one and twice for the new one.)",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Whom? `renga accounts:remove ada@example.com`.");
  const auto& email = context.arguments[0];
  auto confirmed = context.flag("confirm");
  if (confirmed.empty())
    confirmed = context.terminal.ask(
        fmt::format(" !    This removes the account {} with its tokens and keys. Type its address "
                    "to go on: ",
                    email),
        false);
  if (confirmed != email)
    return fail(Kind::invalid,
                fmt::format("\"{}\" is not {}. Nothing was removed.", confirmed, email));
  TRY(TRY(context.platform())->remove("/users/" + text::url_encode(email)));
  context.terminal.say(fmt::format("Removing {}... done", email));
  return 0;
}

}  // namespace

Command accounts_remove() {
  return {
      .name = "accounts:remove",
      .usage = "EMAIL",
      .summary = "remove an account of the server",
      .help =
          R"(For administrators. One that owns apps stays until those are transferred or destroyed.)",
      .flags = {{"confirm", 'c', "EMAIL", "the address, instead of being asked"}},
      .run = run};
}

}  // namespace renga::cli

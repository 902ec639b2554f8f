#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which? `renga accounts:update ada@example.com --admin`.");
  if (context.has("admin") && context.has("no-admin"))
    return fail(Kind::invalid, "--admin or --no-admin: choose one.");
  auto* platform = TRY(context.platform());
  const auto path = "/users/" + text::url_encode(context.arguments[0]);
  json::object wanted;
  for (const auto* member : {"name", "email"})
    if (context.has(member)) wanted[member] = context.flag(member);
  if (context.has("admin") || context.has("no-admin")) wanted["admin"] = context.has("admin");
  if (context.has("no-two-factor")) TRY(platform->remove(path + "/two-factor"));
  const auto account = TRY(platform->patch(path, wanted));
  context.terminal.say(fmt::format("Updating {}... done", text_at(account, "email")));
  return 0;
}

}  // namespace

Command accounts_update() {
  return {.name = "accounts:update",
          .usage = "EMAIL",
          .summary = "change an account of the server",
          .help = R"(For administrators.

Examples:
  $ renga accounts:update ada@example.com --admin
  $ renga accounts:update ada@example.com --no-two-factor     # lost the phone and the codes)",
          .flags = {{"name", 0, "NAME", "the person's name"},
                    {"email", 0, "EMAIL", "another address"},
                    {"admin", 0, "", "make it an administrator"},
                    {"no-admin", 0, "", "an administrator no longer"},
                    {"no-two-factor", 0, "", "turn its second factor off"}},
          .run = run};
}

}  // namespace renga::cli

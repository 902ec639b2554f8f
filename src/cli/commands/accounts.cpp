#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto accounts = TRY(TRY(context.platform())->get("/accounts"));
  if (context.has("json")) {
    context.terminal.out(pretty(accounts));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : accounts.as_array())
    rows.push_back({text_at(one, "email"), flag_at(one, "admin") ? "administrator" : "",
                    flag_at(one, "two_factor_authentication") ? "two-factor" : "",
                    text_at(one, "name")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command accounts() {
  return {.name = "accounts",
          .usage = "",
          .summary = "list the accounts of the server",
          .help = R"(For administrators.)",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

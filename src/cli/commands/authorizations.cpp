#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto all = TRY(TRY(context.platform())->get("/oauth/authorizations"));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : all.as_array()) {
    std::vector<std::string> scope;
    for (const auto& word : one.at("scope").as_array()) scope.emplace_back(word.as_string());
    const auto left = text_at(one, "access_token.expires_in");
    rows.push_back({text_at(one, "description"), text_at(one, "id"), text::join(scope, ","),
                    left.empty() ? "" : fmt::format("expires in {} s", left)});
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command authorizations() {
  return {.name = "authorizations",
          .usage = "",
          .summary = "list your tokens",
          .help = R"(A token's text is shown once, when it is made.)",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

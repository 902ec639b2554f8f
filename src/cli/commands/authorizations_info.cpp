#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which? `renga authorizations` lists them.");
  const auto one =
      TRY(TRY(context.platform())
              ->get("/oauth/authorizations/" + text::url_encode(context.arguments[0])));
  if (context.has("json")) {
    context.terminal.out(pretty(one));
    return 0;
  }
  std::vector<std::string> scope;
  for (const auto& word : one.at("scope").as_array()) scope.emplace_back(word.as_string());
  const auto left = text_at(one, "access_token.expires_in");
  context.terminal.out(columns({{"Description:", text_at(one, "description")},
                                {"ID:", text_at(one, "id")},
                                {"Scope:", text::join(scope, ", ")},
                                {"Token:", text_at(one, "access_token.token")},
                                {"Created at:", when(text_at(one, "created_at"))},
                                {"Updated at:", when(text_at(one, "updated_at"))},
                                {"Expires in:", left.empty() ? "never" : left + " s"}}));
  return 0;
}

}  // namespace

Command authorizations_info() {
  return {.name = "authorizations:info",
          .usage = "ID",
          .summary = "show a token of yours, but for its text",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli

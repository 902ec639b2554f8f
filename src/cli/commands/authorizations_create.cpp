#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  json::object wanted;
  if (context.has("description")) wanted["description"] = context.flag("description");
  if (context.has("expires-in")) wanted["expires_in"] = context.flag("expires-in");
  if (context.has("scope")) {
    json::array scope;
    const auto list = context.flag("scope");
    for (const auto word : text::split(list, ',')) scope.emplace_back(text::trim(word));
    wanted["scope"] = std::move(scope);
  }
  if (context.has("refresh-token")) wanted["refresh_token"] = true;
  const auto made = TRY(TRY(context.platform())->post("/oauth/authorizations", wanted));
  if (context.has("json")) {
    context.terminal.out(pretty(made));
    return 0;
  }
  context.terminal.say(
      fmt::format("Creating {}... done. The token is shown only now:", text_at(made, "id")));
  context.terminal.line(text_at(made, "access_token.token"));
  if (context.has("refresh-token")) {
    context.terminal.say("Its refresh token, which POST /oauth/tokens takes:");
    context.terminal.line(text_at(made, "refresh_token.token"));
  }
  return 0;
}

}  // namespace

Command authorizations_create() {
  return {.name = "authorizations:create",
          .usage = "",
          .summary = "make a token, for a robot or another machine",
          .help = R"(Scopes: global, identity, read, write, read-protected, write-protected.

Example:
  $ renga authorizations:create -d "CI" -s write-protected -e 2592000)",
          .flags = {{"description", 'd', "TEXT", "what it is for"},
                    {"scope", 's', "LIST", "what it may do (default: global)"},
                    {"expires-in", 'e', "SECONDS", "how long it lives (default: for ever)"},
                    {"refresh-token", 0, "", "an access token for hours, and what renews it"},
                    json_flag},
          .run = run};
}

}  // namespace renga::cli

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<std::string> named(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which? `renga authorizations` lists them.");
  return "/oauth/authorizations/" + text::url_encode(context.arguments[0]);
}

Result<int> revoke(Context& context) {
  const auto gone = TRY(TRY(context.platform())->remove(TRY(named(context))));
  context.terminal.say(fmt::format("Revoking {}... done", text_at(gone, "id")));
  return 0;
}

Result<int> rotate(Context& context) {
  const auto path = TRY(named(context)) + "/actions/regenerate-tokens";
  const auto renewed = TRY(TRY(context.platform())->post(path, json::object()));
  context.terminal.say("Rotating the token... done. It is shown only now:");
  context.terminal.line(text_at(renewed, "access_token.token"));
  return 0;
}

Result<int> update(Context& context) {
  const auto path = TRY(named(context));
  if (!context.has("description"))
    return fail(Kind::invalid, "What should it say? `--description TEXT`.");
  TRY(TRY(context.platform())
          ->patch(path, json::object{{"description", context.flag("description")}}));
  context.terminal.say(fmt::format("Updating {}... done", context.arguments[0]));
  return 0;
}

}  // namespace

Command authorizations_revoke() {
  return {.name = "authorizations:revoke",
          .usage = "ID",
          .summary = "make a token good for nothing",
          .help = R"()",
          .flags = {},
          .run = revoke};
}

Command authorizations_rotate() {
  return {.name = "authorizations:rotate",
          .usage = "ID",
          .summary = "put another token in place of one",
          .help = R"(The old one is good for nothing from then on.)",
          .flags = {},
          .run = rotate};
}

Command authorizations_update() {
  return {.name = "authorizations:update",
          .usage = "ID",
          .summary = "say anew what a token is for",
          .help = R"()",
          .flags = {{"description", 'd', "TEXT", "what it is for"}},
          .run = update};
}

}  // namespace renga::cli

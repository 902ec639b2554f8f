#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> list(Context& context) {
  const auto transfers = TRY(TRY(context.platform())->get("/account/app-transfers"));
  if (context.has("json")) {
    context.terminal.out(pretty(transfers));
    return 0;
  }
  if (transfers.as_array().empty()) context.terminal.say("No app is on its way to or from you.");
  std::vector<std::vector<std::string>> rows;
  for (const auto& one : transfers.as_array())
    rows.push_back({text_at(one, "app.name"), text_at(one, "owner.email"), "to",
                    text_at(one, "recipient.email"), text_at(one, "state")});
  context.terminal.out(columns(rows));
  return 0;
}

Result<std::string> named(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which app? `renga apps:transfers` lists them.");
  return "/account/app-transfers/" + text::url_encode(context.arguments[0]);
}

Result<int> decide(Context& context, std::string_view state, std::string_view told) {
  const auto path = TRY(named(context));
  const auto transfer = TRY(TRY(context.platform())->patch(path, json::object{{"state", state}}));
  context.terminal.say(fmt::format("{} {}... done", told, text_at(transfer, "app.name")));
  return 0;
}

Result<int> accept(Context& context) { return decide(context, "accepted", "Accepting"); }
Result<int> decline(Context& context) { return decide(context, "declined", "Declining"); }

Result<int> cancel(Context& context) {
  const auto transfer = TRY(TRY(context.platform())->remove(TRY(named(context))));
  context.terminal.say(
      fmt::format("Taking the offer of {} back... done", text_at(transfer, "app.name")));
  return 0;
}

}  // namespace

Command apps_transfers() {
  return {.name = "apps:transfers",
          .usage = "",
          .summary = "list the apps that are offered to you or by you",
          .help = R"()",
          .flags = {json_flag},
          .run = list};
}

Command apps_transfers_accept() {
  return {.name = "apps:transfers:accept",
          .usage = "APP",
          .summary = "take an app that is offered to you",
          .help = R"()",
          .flags = {},
          .run = accept};
}

Command apps_transfers_decline() {
  return {.name = "apps:transfers:decline",
          .usage = "APP",
          .summary = "say no to an app that is offered to you",
          .help = R"()",
          .flags = {},
          .run = decline};
}

Command apps_transfers_cancel() {
  return {.name = "apps:transfers:cancel",
          .usage = "APP",
          .summary = "take back an offer of yours",
          .help = R"()",
          .flags = {},
          .run = cancel};
}

}  // namespace renga::cli

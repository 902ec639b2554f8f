#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/webhook_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

constexpr Flag include_flag{"include", 'i', "NAMES", "what to hear of: api:release,dyno"};
constexpr Flag level_flag{"level", 'l', "LEVEL",
                          "notify (one attempt) or sync (until it is taken)"};
constexpr Flag url_flag{"url", 'u', "URL", "where to"};
constexpr Flag secret_flag{"secret", 's', "SECRET", "signs what is sent; else one is made up"};
constexpr Flag authorization_flag{"authorization", 't', "VALUE", "sent along as Authorization"};

std::string names_at(const json::value& webhook) {
  std::vector<std::string> names;
  for (const auto& name : webhook.at("include").as_array())
    names.emplace_back(name.as_string().c_str());
  return text::join(names, ",");
}

// What was given of a webhook, as the API takes it.
json::object given(const Context& context) {
  json::object body;
  for (const auto* name : {"level", "url", "secret", "authorization"})
    if (context.has(name)) body[name] = context.flag(name);
  if (context.has("include")) {
    const auto names = context.flag("include");
    json::array include;
    for (const auto name : text::split(names, ',')) include.emplace_back(text::trim(name));
    body["include"] = std::move(include);
  }
  return body;
}

// The path of the one that is named.
Result<std::string> path_of(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which one? `renga webhooks` lists them with their ids.");
  return context.path("/webhooks/" + text::url_encode(context.arguments[0]));
}

Result<int> list(Context& context) {
  const auto path = TRY(context.path("/webhooks"));
  const auto all = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  if (all.as_array().empty()) {
    context.terminal.say(TRY(context.app()) + " has no webhooks. `renga webhooks:add` adds one.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"Id", "Url", "Include", "Level"}};
  for (const auto& one : all.as_array())
    rows.push_back({text_at(one, "id"), text_at(one, "url"), names_at(one), text_at(one, "level")});
  context.terminal.out(columns(rows));
  return 0;
}

Result<int> add(Context& context) {
  auto body = given(context);
  if (!body.contains("url") || !body.contains("include"))
    return fail(Kind::invalid,
                "What of, and where to? `renga webhooks:add -i api:release -u https://…`.");
  if (!body.contains("level")) body["level"] = "notify";
  const bool made_up = !body.contains("secret");
  if (made_up) body["secret"] = random_hex(32);
  const auto path = TRY(context.path("/webhooks"));
  const auto made = TRY(TRY(context.platform())->post(path, body));
  context.terminal.say(
      fmt::format("Adding webhook to {}... done, {}", TRY(context.app()), text_at(made, "id")));
  if (made_up) {
    context.terminal.say("It signs with this secret, which is not shown again:");
    context.terminal.line(body["secret"].as_string().c_str());
  }
  return 0;
}

Result<int> info(Context& context) {
  const auto one = TRY(TRY(context.platform())->get(TRY(path_of(context))));
  if (context.has("json")) {
    context.terminal.out(pretty(one));
    return 0;
  }
  context.terminal.line("=== " + text_at(one, "id"));
  context.terminal.out(columns({{"Url:", text_at(one, "url")},
                                {"Include:", names_at(one)},
                                {"Level:", text_at(one, "level")},
                                {"Made:", when(text_at(one, "created_at"))}}));
  return 0;
}

Result<int> update(Context& context) {
  const auto path = TRY(path_of(context));
  const auto body = given(context);
  if (body.empty()) return fail(Kind::invalid, "What of it? -i, -l, -u, -s and -t change it.");
  const auto changed = TRY(TRY(context.platform())->patch(path, body));
  context.terminal.say(fmt::format("Updating webhook {}... done", text_at(changed, "id")));
  return 0;
}

Result<int> remove(Context& context) {
  const auto removed = TRY(TRY(context.platform())->remove(TRY(path_of(context))));
  context.terminal.say(fmt::format("Removing webhook {}... done", text_at(removed, "id")));
  return 0;
}

Result<int> deliveries(Context& context) {
  const auto path = TRY(context.path("/webhook-deliveries"));
  const auto all = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  if (all.as_array().empty()) {
    context.terminal.say("Nothing was delivered yet.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows{
      {"Delivery", "Made", "Status", "Include", "Code", "Error", "Attempts", "Next"}};
  for (const auto& one : all.as_array())
    rows.push_back({text_at(one, "id"), text_at(one, "created_at"), text_at(one, "status"),
                    text_at(one, "event.include"), text_at(one, "last_attempt.code"),
                    text_at(one, "last_attempt.error_class"), text_at(one, "num_attempts"),
                    text_at(one, "next_attempt_at")});
  context.terminal.out(columns(rows));
  return 0;
}

Result<int> events(Context& context) {
  const auto path = TRY(context.path("/webhook-events"));
  const auto all = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"Event", "When", "Include", "Action", "By"}};
  for (const auto& one : all.as_array())
    rows.push_back({text_at(one, "id"), text_at(one, "created_at"), text_at(one, "include"),
                    text_at(one, "payload.action"), text_at(one, "payload.actor.email")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command webhooks() {
  return {
      .name = "webhooks",
      .usage = "",
      .summary = "list who is told of what happens to an app",
      .help = R"(What happens is posted as JSON, signed in the header Heroku-Webhook-Hmac-SHA256.)",
      .flags = {app_flag, json_flag},
      .run = list};
}

Command webhooks_add() {
  return {
      .name = "webhooks:add",
      .usage = "",
      .summary = "have what happens to an app posted to a URL",
      .help =
          R"(Entities: api:addon, api:addon-attachment, api:app, api:build, api:collaborator, api:domain,
api:formation, api:release, api:sni-endpoint, dyno.

Examples:
  $ renga webhooks:add -i api:release,dyno -u https://hooks.example.com/in
  $ renga webhooks:add -i api:build -l sync -u https://hooks.example.com/in -t 'Bearer token')",
      .flags = {app_flag, include_flag, level_flag, url_flag, secret_flag, authorization_flag},
      .run = add};
}

Command webhooks_info() {
  return {.name = "webhooks:info",
          .usage = "ID",
          .summary = "show a webhook",
          .help = "",
          .flags = {app_flag, json_flag},
          .run = info};
}

Command webhooks_update() {
  return {.name = "webhooks:update",
          .usage = "ID",
          .summary = "change a webhook",
          .help = "What is not given stays as it is.",
          .flags = {app_flag, include_flag, level_flag, url_flag, secret_flag, authorization_flag},
          .run = update};
}

Command webhooks_remove() {
  return {.name = "webhooks:remove",
          .usage = "ID",
          .summary = "remove a webhook",
          .help = "What waits for it is not delivered any more.",
          .flags = {app_flag},
          .run = remove};
}

Command webhooks_deliveries() {
  return {.name = "webhooks:deliveries",
          .usage = "",
          .summary = "list what was, and is to be, delivered to webhooks",
          .help = "The last 200 of each webhook that are settled, and those that wait.",
          .flags = {app_flag, json_flag},
          .run = deliveries};
}

Command webhooks_events() {
  return {.name = "webhooks:events",
          .usage = "",
          .summary = "list what webhooks were told of",
          .help = "--json has all of each.",
          .flags = {app_flag, json_flag},
          .run = events};
}

}  // namespace renga::cli

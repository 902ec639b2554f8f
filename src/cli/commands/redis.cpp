// redis:*.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/data_commands.h"
#include "cli/data_stores.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<DataStore> store_of(Context& context) {
  return find_data_store(context, DataService::redis,
                         context.arguments.empty() ? "" : context.arguments.front());
}

Result<int> info(Context& context) {
  const auto store = TRY(store_of(context));
  const auto answer = TRY(TRY(context.platform())->get("/redis/v0/databases/" + store.addon));
  if (context.has("json")) {
    context.terminal.out(pretty(answer));
    return 0;
  }
  context.terminal.line(fmt::format("=== {} ({}_URL)", store.addon_name, store.attachment));
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : answer.at("info").as_array())
    rows.push_back(
        {text_at(row, "name") + ":", std::string(row.at("values").as_array().at(0).as_string())});
  context.terminal.out(columns(rows));
  return 0;
}

Result<int> shell(Context& context) {
  const auto url = TRY(parse_data_url(TRY(url_of(context, TRY(store_of(context))))));
  return become_program({"redis-cli", "-h", url.host, "-p", url.port, "--tls", "--insecure"},
                        {{"REDISCLI_AUTH", url.password}}, "redis-tools");
}

Result<int> credentials(Context& context) {
  const auto store = TRY(store_of(context));
  if (!context.has("reset")) {
    context.terminal.line(TRY(url_of(context, store)));
    return 0;
  }
  TRY(TRY(context.platform())
          ->post("/redis/v0/databases/" + store.addon + "/credentials_rotation", json::object{}));
  context.terminal.say(fmt::format("Resetting credentials for {}... done", store.addon_name));
  return 0;
}

Result<int> configure(Context& context, const json::object& change, std::string_view shown) {
  const auto store = TRY(store_of(context));
  const auto answer =
      TRY(TRY(context.platform())->patch("/redis/v0/databases/" + store.addon + "/config", change));
  context.terminal.line(fmt::format("{} of {} is {}.", shown, store.addon_name,
                                    text_at(answer, std::string(shown) + ".value")));
  return 0;
}

Result<int> maxmemory(Context& context) {
  if (!context.has("policy"))
    return fail(Kind::invalid, "redis:maxmemory takes --policy POLICY, such as allkeys-lru.");
  return configure(context, {{"maxmemory_policy", context.flag("policy")}}, "maxmemory_policy");
}

Result<int> timeout(Context& context) {
  const auto seconds = text::number(context.flag("seconds"));
  if (!seconds) return fail(Kind::invalid, "redis:timeout takes --seconds SECONDS; 0 is never.");
  return configure(context, {{"timeout", *seconds}}, "timeout");
}

Result<int> notifications(Context& context) {
  if (!context.has("config"))
    return fail(Kind::invalid, "redis:keyspace-notifications takes --config EVENTS, such as AKE.");
  return configure(context, {{"notify_keyspace_events", context.flag("config")}},
                   "notify_keyspace_events");
}

Result<int> promote_store(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Promote which? `renga addons` shows what there is.");
  return promote(context, context.arguments.front(), DataService::redis);
}

}  // namespace

Command redis_info() {
  return {.name = "redis:info",
          .usage = "[DATABASE]",
          .summary = "show a Key-Value Store",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = info};
}

Command redis_cli() {
  return {.name = "redis:cli",
          .usage = "[DATABASE]",
          .summary = "open redis-cli on a store",
          .help = R"(Runs redis-cli on this machine, which has to reach the store's address.)",
          .flags = {app_flag},
          .run = shell};
}

Command redis_credentials() {
  return {.name = "redis:credentials",
          .usage = "[DATABASE]",
          .summary = "show a store's URL, or give it a new password",
          .help = R"()",
          .flags = {app_flag, {"reset", 0, "", "a new password; the app gets a release"}},
          .run = credentials};
}

Command redis_promote() {
  return {.name = "redis:promote",
          .usage = "DATABASE",
          .summary = "make a store the app's REDIS_URL",
          .help = R"()",
          .flags = {app_flag},
          .run = promote_store};
}

Command redis_maxmemory() {
  return {.name = "redis:maxmemory",
          .usage = "[DATABASE]",
          .summary = "say what a full store does",
          .help = R"()",
          .flags = {app_flag, {"policy", 'p', "POLICY", "noeviction, allkeys-lru, …"}},
          .run = maxmemory};
}

Command redis_timeout() {
  return {.name = "redis:timeout",
          .usage = "[DATABASE]",
          .summary = "close connections that are idle for so long",
          .help = R"()",
          .flags = {app_flag, {"seconds", 's', "SECONDS", "0: never"}},
          .run = timeout};
}

Command redis_keyspace_notifications() {
  return {.name = "redis:keyspace-notifications",
          .usage = "[DATABASE]",
          .summary = "say which changes of keys are told to subscribers",
          .help = R"()",
          .flags = {app_flag, {"config", 'c', "EVENTS", "letters, such as AKE; \"\" for none"}},
          .run = notifications};
}

}  // namespace renga::cli

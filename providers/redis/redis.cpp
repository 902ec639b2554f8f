// The provider, and the data API as Heroku's CLI speaks it: /redis/v0.
#include "redis/redis.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "base/workers.h"
#include "redis/migrations.h"
#include "redis/stores.h"

extern "C" {
extern const char renga_redis_manifest[];
extern const char renga_redis_manifest_end[];
}

namespace renga::redis {
namespace json = boost::json;

namespace {

constexpr std::chrono::minutes tidy_every{5};

// "field:value" of INFO's answer.
std::string field(const std::string& info, const std::string& name) {
  for (const auto line : text::lines(info)) {
    const auto [key, value] = text::split_once(line, ':');
    if (key == name) return std::string(value);
  }
  return {};
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto& value = object.at(key);
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

json::value config_json(const Store& store) {
  json::object known;
  for (const auto& policy : policies) known[policy.name] = policy.meaning;
  return {{"timeout", json::object{{"value", store.timeout}}},
          {"maxmemory_policy", json::object{{"value", store.policy}, {"values", std::move(known)}}},
          {"notify_keyspace_events", json::object{{"value", store.notifications}}}};
}

class Redis final : public provider::Provider {
 public:
  explicit Redis(const provider::Surroundings& surroundings)
      : stores_(surroundings), tidying_("redis", [this]() -> Duration {
          stores_.tidy();
          return tidy_every;
        }) {}

  void start() override {
    stores_.start();
    tidying_.start();
  }

  Result<provider::Provisioned> provision(const provider::Resource& resource) override {
    return stores_.provision(resource);
  }
  Result<provider::Provisioned> change_plan(const std::string& uuid,
                                            const std::string& plan) override {
    return stores_.change_plan(uuid, plan);
  }
  Result<void> deprovision(const std::string& uuid) override { return stores_.deprovision(uuid); }
  Result<std::vector<std::pair<std::string, std::string>>> dashboard(
      const std::string& uuid) override {
    return info(TRY(stores_.find(uuid)));
  }

  Result<json::value> data(const provider::DataCall& call) override {
    const auto what = call.path.size() > 4 ? call.path[4] : "";
    if (call.path.size() < 4 || call.path[0] != "redis")
      return fail(Kind::not_found, "heroku-redis has no such call.");
    if (what == "wait" && call.method == "GET") {
      const bool there = stores_.find(call.addon).has_value();
      return json::value{{"waiting?", !there}, {"message", there ? "available" : "preparing"}};
    }
    const auto store = TRY(stores_.find(call.addon));
    if (what.empty() && call.method == "GET") return described(store);
    if (what == "config" && call.method == "GET") return config_json(store);
    if (what == "config" && call.method == "PATCH") return configured(store, call.body);
    if (what == "credentials_rotation" && call.method == "POST") {
      TRY(stores_.rotate(store.uuid));
      return json::value{{"message", "Rotated."}};
    }
    if (what == "stats" && call.method == "POST") {
      auto connection = TRY(stores_.administer(store));
      TRY(connection.run({"CONFIG", "RESETSTAT"}));
      return json::value{{"message", "Stats have been reset."}};
    }
    if (what == "upgrade" && call.method == "POST")
      return fail(Kind::invalid, "This store runs the newest version that this machine has.");
    return fail(Kind::not_found, "heroku-redis has no such call.");
  }

 private:
  Result<std::vector<std::pair<std::string, std::string>>> info(const Store& store) {
    const auto& plan = *find_plan(store.plan);
    auto connection = TRY(stores_.administer(store));
    const auto all = TRY(connection.run({"INFO", "everything"}));
    const auto hits = text::number(field(all, "keyspace_hits")).value_or(0);
    const auto misses = text::number(field(all, "keyspace_misses")).value_or(0);
    return std::vector<std::pair<std::string, std::string>>{
        {"Plan", std::string(plan.title)},
        {"Status", "available"},
        {"Created", rfc3339(store.created_at)},
        {"Version", field(all, "redis_version")},
        {"Memory",
         fmt::format("{} / {} MB", field(all, "used_memory_human"), plan.memory_bytes / megabyte)},
        {"Timeout", std::to_string(store.timeout)},
        {"Maxmemory", store.policy},
        {"Maintenance", "not required"},
        {"Persistence", plan.persistent ? "AOF" : "None"},
        {"HA Status", "Unavailable"},
        {"Requires TLS", "Yes"},
        {"Keyspace Notifications", store.notifications.empty() ? "Disabled" : store.notifications},
        {"Connections", fmt::format("{} / {}", field(all, "connected_clients"), plan.connections)},
        {"Hit Rate", hits + misses == 0
                         ? std::string("none yet")
                         : fmt::format("{:.2f}%", 100.0 * static_cast<double>(hits) /
                                                      static_cast<double>(hits + misses))}};
  }

  Result<json::value> described(const Store& store) {
    json::array rows;
    const auto all = TRY(info(store));
    for (const auto& [name, text] : all)
      rows.push_back({{"name", name}, {"values", json::array{text}}});
    return json::value{{"addon_id", store.uuid},
                       {"name", store.name},
                       {"plan", store.plan},
                       {"created_at", rfc3339(store.created_at)},
                       {"info", std::move(rows)},
                       {"formation", json::object{{"id", store.server}, {"primary", nullptr}}},
                       {"prefer_native_tls", true},
                       {"customer_encryption_key", nullptr},
                       {"resource_url", stores_.url(store)}};
  }

  Result<json::value> configured(const Store& store, const json::object& body) {
    auto now = store;
    if (body.contains("timeout")) {
      const auto seconds = text::number(text_of(body, "timeout"));
      now = TRY(stores_.set_timeout(store.uuid, seconds.value_or(-1)));
    }
    if (body.contains("maxmemory_policy"))
      now = TRY(stores_.set_policy(store.uuid, text_of(body, "maxmemory_policy")));
    if (body.contains("notify_keyspace_events"))
      now = TRY(stores_.set_notifications(store.uuid, text_of(body, "notify_keyspace_events")));
    return config_json(now);
  }

  Stores stores_;
  Workers tidying_;
};

std::optional<std::string> unsupported() {
  if (access("/usr/bin/redis-server", X_OK) == 0) return std::nullopt;
  return "Redis is not installed: apt-get install redis-server";
}

}  // namespace

const provider::Program& program() {
  static const provider::Program it{
      .name = "redis",
      .manifest = {renga_redis_manifest,
                   static_cast<std::size_t>(renga_redis_manifest_end - renga_redis_manifest)},
      .unsupported = unsupported,
      .migrations = migrations(),
      .make = [](const provider::Surroundings& surroundings)
          -> std::unique_ptr<provider::Provider> { return std::make_unique<Redis>(surroundings); }};
  return it;
}

}  // namespace renga::redis

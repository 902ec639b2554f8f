#include "provider/platform.h"

#include <boost/json.hpp>
#include <chrono>

#include "base/report.h"
#include "base/text.h"
#include "base/workers.h"
#include "http/client.h"

namespace renga::provider {
namespace json = boost::json;

namespace {

using std::chrono::seconds;

constexpr seconds waits[] = {seconds(1),  seconds(2),  seconds(5),   seconds(15),
                             seconds(30), seconds(60), seconds(300), seconds(3600)};
constexpr seconds looked_at_every{1};
constexpr const char* end_of_provisioning = "/actions/provision";

std::string text_in(const json::value& value, std::string_view key) {
  const auto* found = value.is_object() ? value.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

struct Message {
  std::string uuid, path, method, body;
  std::int64_t version = 0, attempts = 0;
};

}  // namespace

struct Platform::State {
  State(store::Database& its_database, Clock& its_clock, const crypto::SecretBox& its_box,
        std::string its_url, std::string secret)
      : database(its_database),
        clock(its_clock),
        box(its_box),
        url(std::move(its_url)),
        client_secret(std::move(secret)) {}

  store::Database& database;
  Clock& clock;
  const crypto::SecretBox& box;
  const std::string url, client_secret;
  http::Client client;  // the one thread's

  store::Blob seal(const std::string& text, const std::string& uuid) const {
    return {box.seal(text, "grant/" + uuid)};
  }
  std::string open(const std::string& sealed, const std::string& uuid) const {
    return box.open(sealed, "grant/" + uuid);
  }

  Duration work() {
    const auto codes =
        database.all("SELECT uuid, code FROM grants WHERE code IS NOT NULL",
                     [](const store::Row& row) { return std::pair(row.text(0), row.text(1)); });
    for (const auto& [uuid, code] : codes)
      if (exchange(uuid, "grant_type=authorization_code&code=", open(code, uuid)))
        // What was put off for want of a token.
        database.run("UPDATE messages SET due_at = ? WHERE uuid = ?", clock.now(), uuid);

    const auto due = database.all(
        "SELECT uuid, path, method, body, version, attempts FROM messages WHERE due_at <= ? AND "
        // Its config is there before it is said to be.
        "(path <> ? OR NOT EXISTS (SELECT 1 FROM messages other WHERE other.uuid = messages.uuid "
        "AND other.path = '/config')) ORDER BY due_at LIMIT 32",
        [](const store::Row& row) {
          return Message{row.text(0), row.text(1),    row.text(2),
                         row.text(3), row.integer(4), row.integer(5)};
        },
        clock.now(), end_of_provisioning);
    bool more = false;
    for (const auto& message : due) more = deliver(message) || more;
    // What waited for these.
    if (more) workers.poke();
    return looked_at_every;
  }

  // False when there was no token to be had.
  bool exchange(const std::string& uuid, std::string_view form, const std::string& secret) {
    http::ClientRequest request;
    request.method = "POST";
    request.url = url + "/oauth/token";
    request.direct = url.starts_with("http://");
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = std::string(form) + text::url_encode(secret) +
                   "&client_secret=" + text::url_encode(client_secret);
    const auto answer = client.send(request);
    if (!answer || answer->status >= 500 || answer->status == 429) return false;
    boost::system::error_code wrong;
    const auto body = json::parse(answer->body, wrong);
    const auto access = wrong ? "" : text_in(body, "access_token");
    if (answer->status != 200 || access.empty()) {
      // Used, or too old; what was exchanged before stays.
      database.run("UPDATE grants SET code = NULL WHERE uuid = ?", uuid);
      return false;
    }
    database.run(
        "UPDATE grants SET code = NULL, access = ?, refresh = ?, expires_at = ? WHERE uuid = ?",
        seal(access, uuid), seal(text_in(body, "refresh_token"), uuid),
        clock.now() + std::chrono::hours(7), uuid);
    return true;
  }

  struct Grant {
    std::string access, refresh;
    Time expires_at;
  };
  std::optional<Grant> grant(const std::string& uuid) {
    return database.first(
        "SELECT access, refresh, expires_at FROM grants WHERE uuid = ? AND access IS NOT NULL",
        [&](const store::Row& row) {
          return Grant{open(row.text(0), uuid), open(row.text(1), uuid), row.time(2)};
        },
        uuid);
  }

  // False when it has to be tried again.
  bool deliver(const Message& message) {
    auto allowed = grant(message.uuid);
    if (allowed && allowed->expires_at < clock.now() &&
        exchange(message.uuid, "grant_type=refresh_token&refresh_token=", allowed->refresh))
      allowed = grant(message.uuid);
    if (!allowed) return put_off(message, "there is no token for it yet");

    http::ClientRequest request;
    request.method = message.method;
    request.url = url + "/addons/" + message.uuid + message.path;
    request.direct = url.starts_with("http://");
    request.headers.add("Authorization", "Bearer " + allowed->access);
    request.headers.add("Accept", "application/vnd.heroku+json; version=3");
    request.headers.add("Content-Type", "application/json");
    request.body = open(message.body, message.uuid);
    const auto answer = client.send(request);
    if (!answer) return put_off(message, answer.error().message);
    if (answer->status == 401) {
      database.run("UPDATE grants SET expires_at = 0 WHERE uuid = ?", message.uuid);
      return put_off(message, "the token is not taken");
    }
    if (answer->status >= 300 && answer->status != 404 && answer->status != 410)
      return put_off(message, "status " + std::to_string(answer->status));
    database.run("DELETE FROM messages WHERE uuid = ? AND path = ? AND version = ?", message.uuid,
                 message.path, message.version);
    return true;
  }

  bool put_off(const Message& message, const std::string& why) {
    const auto last = static_cast<std::int64_t>(std::size(waits)) - 1;
    database.run(
        "UPDATE messages SET attempts = attempts + 1, due_at = ? WHERE uuid = ? AND path = ? AND "
        "version = ?",
        clock.now() + waits[std::min(message.attempts, last)], message.uuid, message.path,
        message.version);
    if (message.attempts == 3)
      report("provider", "add-on " + message.uuid + ": the platform was not told: " + why);
    return false;
  }

  Workers workers{"provider", [this] { return work(); }};
};

Platform::Platform(store::Database& database, Clock& clock, const crypto::SecretBox& box,
                   std::string url, std::string client_secret)
    : state_(std::make_unique<State>(database, clock, box, std::move(url),
                                     std::move(client_secret))) {}

Platform::~Platform() = default;

void Platform::start() { state_->workers.start(); }

void Platform::granted(const std::string& uuid, const std::string& code) {
  state_->database.run(
      "INSERT INTO grants (uuid, code, expires_at) VALUES (?, ?, 0) "
      "ON CONFLICT (uuid) DO UPDATE SET code = excluded.code",
      uuid, state_->seal(code, uuid));
  state_->workers.poke();
}

void Platform::set_config(const std::string& uuid, const Config& config,
                          const std::string& config_namespace) {
  json::array vars;
  for (const auto& [name, value] : config)
    vars.push_back({{"name", name}, {"value", value ? json::value(*value) : json::value(nullptr)}});
  tell(uuid, config_namespace.empty() ? std::string("/config") : "/config/" + config_namespace,
       "PATCH", json::serialize(json::value{{"config", std::move(vars)}}));
}

void Platform::provisioned(const std::string& uuid, const Config& config) {
  auto transaction = state_->database.begin();
  set_config(uuid, config);
  tell(uuid, end_of_provisioning, "POST", "{}");
  transaction.commit();
}

void Platform::tell(const std::string& uuid, const std::string& path, const std::string& method,
                    const std::string& body) {
  state_->database.run(
      "INSERT INTO messages (uuid, path, method, body, version, attempts, due_at) "
      "VALUES (?, ?, ?, ?, 1, 0, ?) ON CONFLICT (uuid, path) DO UPDATE SET "
      "body = excluded.body, version = version + 1, attempts = 0, due_at = excluded.due_at",
      uuid, path, method, state_->seal(body, uuid), state_->clock.now());
  state_->workers.poke();
}

void Platform::forget(const std::string& uuid) {
  state_->database.run("DELETE FROM messages WHERE uuid = ?", uuid);
  state_->database.run("DELETE FROM grants WHERE uuid = ?", uuid);
}

}  // namespace renga::provider

#include "webhooks/webhooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/random.h"
#include "base/text.h"
#include "webhooks/rules.h"

namespace renga::webhooks {
namespace json = boost::json;

namespace {

constexpr std::string_view columns =
    "SELECT id, owner_kind, owner, url, entities, level, created_at, updated_at FROM webhooks ";
constexpr std::string_view delivery_columns =
    "SELECT d.id, d.webhook, w.level, d.event, e.entity, d.status, d.attempts, d.next_at, "
    "d.attempt, d.attempt_code, d.attempt_error, d.attempt_at, d.created_at, d.updated_at, "
    "d.number "
    "FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook "
    "JOIN webhook_events e ON e.id = d.event ";

std::string_view name_of(Owner::Kind kind) { return kind == Owner::Kind::app ? "app" : "addon"; }

std::string url_context(const Id<Webhook>& id) { return "webhook/" + id.value + "/url"; }
std::string secret_context(const Id<Webhook>& id) { return "webhook/" + id.value + "/secret"; }
std::string authorization_context(const Id<Webhook>& id) {
  return "webhook/" + id.value + "/authorization";
}

constexpr std::chrono::hours longest_try{72};

Status status_named(std::string_view name) {
  if (name == "pending") return Status::pending;
  if (name == "retrying") return Status::retrying;
  return name == "succeeded" ? Status::succeeded : Status::failed;
}

Delivery read_delivery(const store::Row& row) {
  Delivery delivery{.id = row.id<Delivery>(0),
                    .number = row.integer(14),
                    .webhook = row.id<Webhook>(1),
                    .level = row.text(2) == "sync" ? Level::sync : Level::notify,
                    .event = row.id<Event>(3),
                    .entity = row.text(4),
                    .status = status_named(row.text(5)),
                    .attempts = static_cast<int>(row.integer(6)),
                    .next_at = row.maybe_time(7),
                    .last = {},
                    .created_at = row.time(12),
                    .updated_at = row.time(13)};
  if (const auto attempt = row.maybe_text(8)) {
    const auto code = row.maybe_integer(9);
    delivery.last = Attempt{*attempt, {}, row.maybe_text(10).value_or(""), row.time(11)};
    if (code) delivery.last->code = static_cast<int>(*code);
  }
  return delivery;
}

Event read_event(const store::Row& row) {
  return {row.id<Event>(0), row.text(1), row.text(2), row.time(3)};
}

// "api:addon-attachment" is a resource called addon-attachment.
std::string resource_of(std::string_view entity) {
  return std::string(entity.starts_with("api:") ? entity.substr(4) : entity);
}

}  // namespace

std::string_view name_of(Level level) { return level == Level::sync ? "sync" : "notify"; }

std::string_view name_of(Status status) {
  switch (status) {
    case Status::pending:
      return "pending";
    case Status::retrying:
      return "retrying";
    case Status::failed:
      return "failed";
    case Status::succeeded:
      return "succeeded";
  }
  return "failed";
}

// Who wants to hear
// ----------------------------------------------------------------

Webhook Webhooks::read(const store::Row& row) const {
  Webhook webhook{
      .id = row.id<Webhook>(0),
      .owner = {row.text(1) == "app" ? Owner::Kind::app : Owner::Kind::addon, row.text(2)},
      .url = {},
      .entities = {},
      .level = row.text(5) == "sync" ? Level::sync : Level::notify,
      .created_at = row.time(6),
      .updated_at = row.time(7)};
  webhook.url = box_.open(row.text(3), url_context(webhook.id));
  const auto names = row.text(4);
  for (const auto name : text::split(names, ' ')) webhook.entities.emplace_back(name);
  return webhook;
}

std::vector<Webhook> Webhooks::all(const Owner& owner) {
  return database_.all(
      std::string(columns) +
          "WHERE owner_kind = ? AND owner = ? AND gone = 0 ORDER BY created_at, id",
      [this](const store::Row& row) { return read(row); }, name_of(owner.kind), owner.id);
}

Result<Webhook> Webhooks::find(const Owner& owner, std::string_view id) {
  for (auto& webhook : all(owner))
    if (webhook.id.value == id) return std::move(webhook);
  return fail(Kind::not_found, "Couldn't find that webhook.");
}

Result<Webhooks::Made> Webhooks::add(const Owner& owner, const NewWebhook& wanted) {
  TRY(check_url(wanted.url));
  TRY(check_level(wanted.level));
  const auto entities = TRY(check_entities(wanted.entities));
  if (wanted.secret) TRY(check_secret("secret", *wanted.secret));
  if (wanted.authorization) TRY(check_secret("authorization", *wanted.authorization));
  const auto secret = wanted.secret.value_or(random_hex(32));
  const auto id = Id<Webhook>::create();
  const auto now = clock_.now();
  std::optional<store::Blob> authorization;
  if (wanted.authorization)
    authorization = store::Blob{box_.seal(*wanted.authorization, authorization_context(id))};

  auto transaction = database_.begin();
  if (all(owner).size() >= most)
    return fail(Kind::invalid, fmt::format("There are {} webhooks already, and no more can be "
                                           "added. Remove one first.",
                                           most));
  database_.run(
      "INSERT INTO webhooks (id, owner_kind, owner, url, secret, authorization, entities, level, "
      "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id, name_of(owner.kind), owner.id, store::Blob{box_.seal(wanted.url, url_context(id))},
      store::Blob{box_.seal(secret, secret_context(id))}, authorization, entities, wanted.level,
      now, now);
  transaction.commit();
  return Made{TRY(find(owner, id.value)), wanted.secret ? std::nullopt : std::optional(secret)};
}

Result<Webhook> Webhooks::change(const Owner& owner, std::string_view given,
                                 const Changes& changes) {
  auto transaction = database_.begin();
  const auto id = TRY(find(owner, given)).id;
  const auto set = [&](std::string_view column, const store::Value& value) {
    database_.run(fmt::format("UPDATE webhooks SET {} = ? WHERE id = ?", column), value, id);
  };
  if (changes.url) {
    TRY(check_url(*changes.url));
    set("url", store::Blob{box_.seal(*changes.url, url_context(id))});
  }
  if (changes.entities) set("entities", TRY(check_entities(*changes.entities)));
  if (changes.level) {
    TRY(check_level(*changes.level));
    set("level", *changes.level);
  }
  if (changes.secret) {
    TRY(check_secret("secret", *changes.secret));
    set("secret", store::Blob{box_.seal(*changes.secret, secret_context(id))});
  }
  if (changes.authorization) {
    TRY(check_secret("authorization", *changes.authorization));
    set("authorization", store::Blob{box_.seal(*changes.authorization, authorization_context(id))});
  }
  set("updated_at", clock_.now());
  auto after = TRY(find(owner, id.value));
  transaction.commit();
  return after;
}

Result<Webhook> Webhooks::remove(const Owner& owner, std::string_view id) {
  auto transaction = database_.begin();
  auto webhook = TRY(find(owner, id));
  database_.run("DELETE FROM webhooks WHERE id = ?", webhook.id);
  drop_unheard_events();
  transaction.commit();
  return webhook;
}

void Webhooks::owner_gone(const Owner& owner) {
  auto transaction = database_.begin();
  database_.run("UPDATE webhooks SET gone = 1 WHERE owner_kind = ? AND owner = ?",
                name_of(owner.kind), owner.id);
  database_.run(
      "DELETE FROM webhooks WHERE gone = 1 AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d "
      "WHERE d.webhook = webhooks.id AND d.next_at IS NOT NULL)");
  drop_unheard_events();
  transaction.commit();
}

void Webhooks::drop_unheard_events() {
  database_.run(
      "DELETE FROM webhook_events WHERE NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE "
      "d.event = webhook_events.id)");
}

// What happened
// ----------------------------------------------------------------

bool Webhooks::any() {
  return database_
      .first("SELECT 1 FROM webhooks LIMIT 1", [](const store::Row& row) { return row.flag(0); })
      .has_value();
}

void Webhooks::publish(const News& news) {
  auto transaction = database_.begin();
  std::vector<Id<Webhook>> hearers;
  for (const auto& owner : news.owners)
    for (const auto& webhook : all(owner))
      if (std::ranges::find(webhook.entities, news.entity) != webhook.entities.end() &&
          std::ranges::find(hearers, webhook.id) == hearers.end())
        hearers.push_back(webhook.id);
  if (hearers.empty()) return;

  const auto now = clock_.now();
  const auto event = Id<Event>::create();
  const auto payload = json::serialize(
      json::object{{"action", news.action},
                   {"actor", json::object{{"email", news.actor_email}, {"id", news.actor_id}}},
                   {"data", json::parse(news.data)},
                   {"previous_data", json::parse(news.previous_data)},
                   {"resource", resource_of(news.entity)},
                   {"version", "application/vnd.heroku+json; version=3"}});
  database_.run("INSERT INTO webhook_events (id, entity, payload, created_at) VALUES (?, ?, ?, ?)",
                event, news.entity, payload, now);
  for (const auto& webhook : hearers) {
    database_.run(
        "INSERT INTO webhook_deliveries (id, webhook, event, status, next_at, created_at, "
        "updated_at) VALUES (?, ?, ?, 'pending', ?, ?, ?)",
        Id<Delivery>::create(), webhook, event, now, now, now);
    database_.run(
        "UPDATE webhook_deliveries SET status = 'failed', next_at = NULL, updated_at = ? WHERE "
        "number IN (SELECT number FROM webhook_deliveries WHERE webhook = ? AND next_at IS NOT "
        "NULL ORDER BY number DESC LIMIT -1 OFFSET ?)",
        now, webhook, static_cast<std::int64_t>(most_waiting));
  }
  transaction.commit();
  news_();
}

// What is on its way
// ----------------------------------------------------------------

std::vector<Delivery> Webhooks::deliveries(const Owner& owner) {
  return database_.all(
      std::string(delivery_columns) +
          "WHERE w.owner_kind = ? AND w.owner = ? AND w.gone = 0 ORDER BY d.number DESC",
      read_delivery, name_of(owner.kind), owner.id);
}

Result<Delivery> Webhooks::delivery(const Owner& owner, std::string_view id) {
  auto found = database_.first(
      std::string(delivery_columns) + "WHERE w.owner_kind = ? AND w.owner = ? AND d.id = ?",
      read_delivery, name_of(owner.kind), owner.id, id);
  if (!found) return fail(Kind::not_found, "Couldn't find that delivery of a webhook.");
  return *std::move(found);
}

std::vector<Event> Webhooks::events(const Owner& owner) {
  return database_.all(
      "SELECT e.id, e.entity, e.payload, e.created_at FROM webhook_events e WHERE e.id IN (SELECT "
      "d.event FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook WHERE w.owner_kind = "
      "? AND w.owner = ? AND w.gone = 0) ORDER BY e.created_at DESC, e.rowid DESC",
      read_event, name_of(owner.kind), owner.id);
}

Result<Event> Webhooks::event(const Owner& owner, std::string_view id) {
  for (auto& event : events(owner))
    if (event.id.value == id) return std::move(event);
  return fail(Kind::not_found, "Couldn't find that event of a webhook.");
}

std::vector<Webhooks::Waiting> Webhooks::due() {
  return database_.all(
      "SELECT id, webhook FROM webhook_deliveries WHERE number IN (SELECT MIN(number) FROM "
      "webhook_deliveries WHERE next_at IS NOT NULL GROUP BY webhook) AND next_at <= ? ORDER BY "
      "next_at LIMIT 100",
      [](const store::Row& row) {
        return Waiting{row.id<Delivery>(0), row.id<Webhook>(1)};
      },
      clock_.now());
}

std::optional<Due> Webhooks::waiting(const Id<Delivery>& id) {
  auto transaction = database_.begin();
  auto delivery =
      database_.first(std::string(delivery_columns) + "WHERE d.id = ? AND d.next_at IS NOT NULL",
                      read_delivery, id);
  if (!delivery) return std::nullopt;
  auto due = database_.first(
      "SELECT url, secret, authorization FROM webhooks WHERE id = ?",
      [&](const store::Row& row) {
        const auto& webhook = delivery->webhook;
        Due all{.delivery = *delivery,
                .event = {},
                .url = box_.open(row.text(0), url_context(webhook)),
                .secret = box_.open(row.text(1), secret_context(webhook)),
                .authorization = {}};
        if (!row.is_null(2))
          all.authorization = box_.open(row.text(2), authorization_context(webhook));
        return all;
      },
      delivery->webhook);
  auto event =
      database_.first("SELECT id, entity, payload, created_at FROM webhook_events WHERE id = ?",
                      read_event, delivery->event);
  if (!due || !event) return std::nullopt;
  due->event = *std::move(event);
  return due;
}

std::optional<Time> Webhooks::next_due() {
  return database_
      .first(
          "SELECT MIN(next_at) FROM webhook_deliveries WHERE number IN (SELECT MIN(number) FROM "
          "webhook_deliveries WHERE next_at IS NOT NULL GROUP BY webhook)",
          [](const store::Row& row) { return row.maybe_time(0); })
      .value_or(std::nullopt);
}

void Webhooks::attempted(const Delivery& delivery, const Attempt& attempt) {
  const auto now = clock_.now();
  const auto attempts = delivery.attempts + 1;
  auto status = Status::succeeded;
  std::optional<Time> next;
  if (!attempt.error.empty()) {
    const bool again = delivery.level == Level::sync && delivery.created_at + longest_try > now;
    status = again ? Status::retrying : Status::failed;
    if (again) next = now + pause_after(attempts);
  }
  auto transaction = database_.begin();
  database_.run(
      "UPDATE webhook_deliveries SET status = ?, attempts = ?, next_at = ?, attempt = ?, "
      "attempt_code = ?, attempt_error = ?, attempt_at = ?, updated_at = ? WHERE id = ? AND "
      "next_at IS NOT NULL",
      name_of(status), attempts, next, attempt.id, attempt.code,
      attempt.error.empty() ? std::optional<std::string>() : attempt.error, attempt.at, now,
      delivery.id);
  auto dropped = database_.run(
      "DELETE FROM webhook_deliveries WHERE number IN (SELECT number FROM webhook_deliveries WHERE "
      "webhook = ? AND next_at IS NULL ORDER BY number DESC LIMIT -1 OFFSET ?)",
      delivery.webhook, static_cast<std::int64_t>(most_settled));
  dropped += database_.run(
      "DELETE FROM webhooks WHERE id = ? AND gone = 1 AND NOT EXISTS (SELECT 1 FROM "
      "webhook_deliveries d WHERE d.webhook = webhooks.id AND d.next_at IS NOT NULL)",
      delivery.webhook);
  if (dropped > 0) drop_unheard_events();
  transaction.commit();
}

}  // namespace renga::webhooks

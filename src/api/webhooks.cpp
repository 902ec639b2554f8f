// Webhooks, what they heard of, and how that was delivered: an app's, for people, and an add-on's,
// for its provider; by the same handlers, told apart by the route.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/addon_objects.h"
#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

struct Owned {
  webhooks::Owner owner;
  std::string_view kind;  // "app", "addon": the member that names it
  json::object ref;
};

// Who may see webhooks may see where an app's news goes, which is to operate it.
Result<Owned> owner_in(Call& call) {
  if (call.request.params.contains("addon")) {
    const auto addon = TRY(addon_in(call, apps::Permission::operate));
    return Owned{{webhooks::Owner::Kind::addon, addon.id.value},
                 "addon",
                 {{"id", addon.id.value}, {"name", addon.name}}};
  }
  const auto app = TRY(call.app(apps::Permission::operate));
  return Owned{{webhooks::Owner::Kind::app, app.id.value}, "app", app_ref(app)};
}

json::object to_json(const Owned& owned, const webhooks::Webhook& webhook) {
  json::array include;
  for (const auto& entity : webhook.entities) include.emplace_back(entity);
  return {{owned.kind, owned.ref},
          {"created_at", rfc3339(webhook.created_at)},
          {"id", webhook.id.value},
          {"include", std::move(include)},
          {"level", webhooks::name_of(webhook.level)},
          {"updated_at", rfc3339(webhook.updated_at)},
          {"url", webhook.url}};
}

json::value to_json(const std::optional<webhooks::Attempt>& attempt) {
  if (!attempt) return nullptr;
  return json::object{{"code", attempt->code ? json::value(*attempt->code) : json::value()},
                      {"created_at", rfc3339(attempt->at)},
                      {"error_class", text_or_null(attempt->error)},
                      {"id", attempt->id},
                      {"status", attempt->error.empty() ? "succeeded" : "failed"},
                      {"updated_at", rfc3339(attempt->at)}};
}

json::object to_json(const webhooks::Delivery& delivery) {
  return {{"created_at", rfc3339(delivery.created_at)},
          {"event", json::object{{"id", delivery.event.value}, {"include", delivery.entity}}},
          {"id", delivery.id.value},
          {"last_attempt", to_json(delivery.last)},
          {"next_attempt_at",
           delivery.next_at ? json::value(rfc3339(*delivery.next_at)) : json::value()},
          {"num_attempts", delivery.attempts},
          {"status", webhooks::name_of(delivery.status)},
          {"updated_at", rfc3339(delivery.updated_at)},
          {"webhook", json::object{{"id", delivery.webhook.value},
                                   {"level", webhooks::name_of(delivery.level)}}}};
}

json::object to_json(const webhooks::Event& event) {
  auto payload = json::parse(event.payload).as_object();
  payload["published_at"] = rfc3339(event.created_at);
  return {{"created_at", rfc3339(event.created_at)},
          {"id", event.id.value},
          {"include", event.entity},
          {"payload", std::move(payload)},
          {"updated_at", rfc3339(event.created_at)}};
}

Result<std::optional<std::vector<std::string>>> entities_in(const json::object& body) {
  const auto* given = TRY(array_in(body, "include"));
  if (given == nullptr) return std::nullopt;
  std::vector<std::string> all;
  for (const auto& entity : *given) {
    if (!entity.is_string())
      return fail(Kind::invalid, R"(`include` must be a list of names: ["api:release"].)");
    all.emplace_back(entity.get_string());
  }
  return all;
}

}  // namespace

Result<Answer> webhook_create(Call& call) {
  const auto body = TRY(call.body());
  const auto owned = TRY(owner_in(call));
  webhooks::NewWebhook wanted;
  wanted.url = TRY(required_text(body, "url"));
  wanted.entities = TRY(entities_in(body)).value_or(std::vector<std::string>());
  wanted.level = TRY(required_text(body, "level"));
  wanted.secret = TRY(text_in(body, "secret"));
  wanted.authorization = TRY(text_in(body, "authorization"));
  auto made = TRY(call.services.webhooks.add(owned.owner, wanted));
  auto answer = created(to_json(owned, made.webhook));
  if (made.secret) answer.headers.set("Heroku-Webhook-Secret", *made.secret);
  return answer;
}

Result<Answer> webhook_list(Call& call) {
  const auto owned = TRY(owner_in(call));
  return call.page<webhooks::Webhook>(
      call.services.webhooks.all(owned.owner),
      {by_text<webhooks::Webhook>("id", [](const auto& webhook) { return webhook.id.value; })},
      [&](const webhooks::Webhook& webhook) { return to_json(owned, webhook); });
}

Result<Answer> webhook_info(Call& call) {
  const auto owned = TRY(owner_in(call));
  return ok(to_json(owned, TRY(call.services.webhooks.find(owned.owner, call.param("webhook")))));
}

Result<Answer> webhook_update(Call& call) {
  const auto body = TRY(call.body());
  const auto owned = TRY(owner_in(call));
  webhooks::Changes changes;
  changes.url = TRY(text_in(body, "url"));
  changes.entities = TRY(entities_in(body));
  changes.level = TRY(text_in(body, "level"));
  changes.secret = TRY(text_in(body, "secret"));
  changes.authorization = TRY(text_in(body, "authorization"));
  return ok(to_json(
      owned, TRY(call.services.webhooks.change(owned.owner, call.param("webhook"), changes))));
}

Result<Answer> webhook_delete(Call& call) {
  const auto owned = TRY(owner_in(call));
  return ok(to_json(owned, TRY(call.services.webhooks.remove(owned.owner, call.param("webhook")))));
}

Result<Answer> webhook_delivery_list(Call& call) {
  const auto owned = TRY(owner_in(call));
  auto deliveries = call.services.webhooks.deliveries(owned.owner);
  // As Heroku's CLI asks for one status.
  const auto query = text::query(call.request.query);
  if (const auto wanted = query.find("eq[status]"); wanted != query.end())
    std::erase_if(deliveries, [&](const auto& delivery) {
      return webhooks::name_of(delivery.status) != wanted->second;
    });
  return call.page<webhooks::Delivery>(
      deliveries,
      {by_number<webhooks::Delivery>("seq", [](const auto& delivery) { return delivery.number; }),
       by_time<webhooks::Delivery>("created_at",
                                   [](const auto& delivery) { return delivery.created_at; }),
       by_text<webhooks::Delivery>("id", [](const auto& delivery) { return delivery.id.value; })},
      [](const webhooks::Delivery& delivery) { return to_json(delivery); });
}

Result<Answer> webhook_delivery_info(Call& call) {
  const auto owned = TRY(owner_in(call));
  return ok(to_json(TRY(call.services.webhooks.delivery(owned.owner, call.param("delivery")))));
}

Result<Answer> webhook_event_list(Call& call) {
  const auto owned = TRY(owner_in(call));
  return call.page<webhooks::Event>(
      call.services.webhooks.events(owned.owner),
      {by_time<webhooks::Event>("created_at", [](const auto& event) { return event.created_at; }),
       by_text<webhooks::Event>("id", [](const auto& event) { return event.id.value; })},
      [](const webhooks::Event& event) { return to_json(event); });
}

Result<Answer> webhook_event_info(Call& call) {
  const auto owned = TRY(owner_in(call));
  return ok(to_json(TRY(call.services.webhooks.event(owned.owner, call.param("event")))));
}

}  // namespace renga::api

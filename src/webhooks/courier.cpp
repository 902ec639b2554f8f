#include "webhooks/courier.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"
#include "crypto/digest.h"

namespace renga::webhooks {
namespace json = boost::json;

namespace {

constexpr std::chrono::seconds longest_sleep{60};

// The event as every receiver of it gets it, and which delivery this is.
std::string body_of(const Due& due, const Attempt& attempt, Time now) {
  auto body = json::parse(due.event.payload).as_object();
  body["id"] = due.event.id.value;
  body["created_at"] = rfc3339(due.event.created_at);
  body["updated_at"] = rfc3339(due.event.created_at);
  body["published_at"] = rfc3339(now);
  body["sequence"] = nullptr;
  body["webhook_metadata"] = json::object{
      {"attempt", json::object{{"id", attempt.id}}},
      {"delivery", json::object{{"id", due.delivery.id.value}}},
      {"event", json::object{{"id", due.event.id.value}, {"include", due.event.entity}}},
      {"webhook", json::object{{"id", due.delivery.webhook.value}}}};
  return json::serialize(body);
}

}  // namespace

Courier::~Courier() {
  workers_.stop();
  sender_.stop();
}

Duration Courier::round() {
  while (!workers_.stopping() && take_one()) {
  }
  // What is due and was not taken is another thread's just now, who pokes when it is done.
  const auto next = webhooks_.next_due();
  if (!next) return longest_sleep;
  return std::clamp<Duration>(*next - clock_.now(), std::chrono::seconds(1), longest_sleep);
}

void Courier::work() {
  while (take_one()) {
  }
}

bool Courier::take_one() {
  for (const auto& due : webhooks_.due()) {
    if (!under_way_.lock()->insert(due.webhook).second) continue;
    struct Release {
      Courier& courier;
      const Id<Webhook>& webhook;
      ~Release() {
        courier.under_way_.lock()->erase(webhook);
        courier.workers_.poke();
      }
    } release{*this, due.webhook};
    // Another thread may have settled it, or come to be late, between the look and the claim.
    const auto now = webhooks_.waiting(due.delivery);
    if (!now || *now->delivery.next_at > clock_.now()) continue;
    attempt(*now);
    return true;
  }
  return false;
}

void Courier::attempt(const Due& due) {
  Attempt attempt{new_uuid(), {}, {}, clock_.now()};
  const auto body = body_of(due, attempt, clock_.now());
  const auto outcome =
      sender_.send({.url = due.url,
                    .body = body,
                    .signature = text::base64(crypto::hmac_sha256(due.secret, body)),
                    .authorization = due.authorization});
  if (workers_.stopping() && !outcome.code) return;  // cut off by us: it is made again
  attempt.code = outcome.code;
  attempt.error = outcome.error;
  if (outcome.code && *outcome.code / 100 != 2)
    attempt.error = fmt::format("it answered {}", *outcome.code);
  webhooks_.attempted(due.delivery, attempt);
}

}  // namespace renga::webhooks

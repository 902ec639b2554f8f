// Webhooks: who wants to hear of what, what happened, and what is on its way to whom, as rows.
// publish() is durable when it returns; the Courier delivers. Every queue is bounded: of a webhook
// that takes nothing, the oldest news is given up for the newest. Blocks on the store; safe from
// any thread, in transactions of the caller's too.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "crypto/secret_box.h"
#include "store/database.h"
#include "webhooks/webhook.h"

namespace renga::webhooks {

struct NewWebhook {
  std::string url;
  std::vector<std::string> entities;
  std::string level;
  std::optional<std::string> secret;  // none: made up
  std::optional<std::string> authorization;
};

// What is given changes.
struct Changes {
  std::optional<std::string> url;
  std::optional<std::vector<std::string>> entities;
  std::optional<std::string> level;
  std::optional<std::string> secret;
  std::optional<std::string> authorization;
};

// All that one attempt needs.
struct Due {
  Delivery delivery;
  Event event;
  std::string url;
  std::string secret;
  std::optional<std::string> authorization;
};

class Webhooks {
 public:
  static constexpr std::size_t most = 10;             // of one owner
  static constexpr std::size_t most_waiting = 1'000;  // of one webhook
  static constexpr std::size_t most_settled = 200;    // of one webhook: what is told of the past

  Webhooks(store::Database& database, Clock& clock, const crypto::SecretBox& box)
      : database_(database), clock_(clock), box_(box) {}

  // Called, behind the commit, when there is something to deliver. Set before the first use.
  void on_news(std::function<void()> callback) { news_ = std::move(callback); }

  struct Made {
    Webhook webhook;
    std::optional<std::string> secret;  // that was made up, to be shown this once
  };
  // Kind::invalid: too many, no http(s) URL, an entity or a level that does not exist.
  Result<Made> add(const Owner& owner, const NewWebhook& wanted);
  Result<Webhook> change(const Owner& owner, std::string_view id, const Changes& changes);
  Result<Webhook> remove(const Owner& owner, std::string_view id);
  std::vector<Webhook> all(const Owner& owner);
  Result<Webhook> find(const Owner& owner, std::string_view id);

  // Newest first.
  std::vector<Delivery> deliveries(const Owner& owner);
  Result<Delivery> delivery(const Owner& owner, std::string_view id);
  std::vector<Event> events(const Owner& owner);
  Result<Event> event(const Owner& owner, std::string_view id);

  // Whether anybody at all has one: to ask before news is made.
  bool any();
  void publish(const News& news);
  // Its webhooks hear what was published, and no more.
  void owner_gone(const Owner& owner);

  // For the courier: what is due, the oldest of each webhook alone; all of one, while it waits;
  // when the next one is due; what an attempt came to.
  struct Waiting {
    Id<Delivery> delivery;
    Id<Webhook> webhook;
  };
  std::vector<Waiting> due();
  std::optional<Due> waiting(const Id<Delivery>& id);
  std::optional<Time> next_due();
  void attempted(const Delivery& delivery, const Attempt& attempt);

 private:
  Webhook read(const store::Row& row) const;
  void drop_unheard_events();

  store::Database& database_;
  Clock& clock_;
  const crypto::SecretBox& box_;
  std::function<void()> news_ = [] {};
};

// What may be heard of, in the order of Heroku's list.
const std::vector<std::string>& entities();

std::string_view name_of(Level level);
std::string_view name_of(Status status);

}  // namespace renga::webhooks

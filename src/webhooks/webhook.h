// The values of this room: Webhook, Event, Delivery, and the News that makes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"

namespace renga::webhooks {

// Whose it is, and so whose news it hears.
struct Owner {
  enum class Kind { app, addon };
  Kind kind = Kind::app;
  std::string id;
  bool operator==(const Owner&) const = default;
};

// notify: one attempt. sync: in order, and again until it is taken or too old.
enum class Level { notify, sync };

struct Webhook {
  Id<Webhook> id;
  Owner owner;
  std::string url;
  std::vector<std::string> entities;  // "api:release"
  Level level = Level::notify;
  Time created_at;
  Time updated_at;
};

// What happened to something of an app.
struct News {
  std::vector<Owner> owners;  // whose webhooks hear of it
  std::string entity;         // "api:release"
  std::string action;         // "create", "update", "destroy"
  std::string data;           // the thing as JSON; without what opens a door
  std::string previous_data = "{}";
  std::string actor_id;
  std::string actor_email;
};

struct Event {
  Id<Event> id;
  std::string entity;
  std::string payload;  // JSON
  Time created_at;
};

// `failed`: the only attempt, or too many, or given up for newer ones.
enum class Status { pending, retrying, failed, succeeded };

struct Attempt {
  std::string id;
  std::optional<int> code;  // of the answer, when there was one
  std::string error;        // empty: it was taken
  Time at;
};

struct Delivery {
  Id<Delivery> id;
  std::int64_t number = 0;  // in the order of what happened
  Id<Webhook> webhook;
  Level level = Level::notify;
  Id<Event> event;
  std::string entity;
  Status status = Status::pending;
  int attempts = 0;
  std::optional<Time> next_at;
  std::optional<Attempt> last;
  Time created_at;
  Time updated_at;
};

}  // namespace renga::webhooks

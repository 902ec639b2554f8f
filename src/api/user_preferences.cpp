// User preferences: what a person set in a dashboard, kept for the next visit.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/account_objects.h"
#include "api/body.h"
#include "api/objects.h"
#include "api/people_rooms.h"

namespace renga::api {
namespace {

json::object to_json(const std::map<std::string, std::string>& set) {
  json::object object;
  for (const auto& [name, is_switch] : accounts::preference_names()) {
    const auto found = set.find(std::string(name));
    if (found == set.end())
      object[name] = nullptr;
    else if (is_switch)
      object[name] = found->second == "true";
    else
      object[name] = found->second;
  }
  return object;
}

// Preferences are everybody's own, an administrator's eyes included.
Result<void> own(const Call& call) {
  const auto account = TRY(account_named(call, call.param("user")));
  if (account.id == call.account().id) return {};
  return fail(Kind::forbidden, "Preferences are for the account's own eyes: /users/~/preferences.");
}

}  // namespace

Result<Answer> user_preference_list(Call& call) {
  TRY(own(call));
  return ok(to_json(PeopleRooms(call.services).preferences.all(call.account().id)));
}

Result<Answer> user_preference_update(Call& call) {
  TRY(own(call));
  std::map<std::string, std::optional<std::string>> changes;
  const auto body = TRY(call.body());
  for (const auto& [key, value] : body) {
    const std::string name(key);
    if (value.is_bool())
      changes[name] = value.get_bool() ? "true" : "false";
    else
      changes[name] = TRY(text_in(body, name));
  }
  TRY(PeopleRooms(call.services).preferences.set(call.account().id, changes));
  return ok(to_json(PeopleRooms(call.services).preferences.all(call.account().id)));
}

}  // namespace renga::api

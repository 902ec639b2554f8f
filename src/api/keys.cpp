// Key: an SSH public key of the caller's.
#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/body.h"
#include "api/objects.h"
#include "api/people_rooms.h"

namespace renga::api {
namespace {

json::object to_json(const Call& call, const accounts::Key& key) {
  // With the comment behind it, as it was given: clients cut the line at its blanks.
  const auto line = key.comment.empty() ? key.public_key : key.public_key + " " + key.comment;
  return {
      {"comment", text_or_null(key.comment)},
      {"created_at", rfc3339(key.created_at)},
      {"email", call.account().email},
      {"fingerprint", key.fingerprint},
      {"id", key.id.value},
      {"public_key", line},
      {"updated_at", rfc3339(key.updated_at)},
  };
}

}  // namespace

Result<Answer> key_create(Call& call) {
  const auto body = TRY(call.body());
  const auto line = TRY(required_text(body, "public_key"));
  return created(to_json(call, TRY(PeopleRooms(call.services).keys.add(call.account().id, line))));
}

Result<Answer> key_list(Call& call) {
  using accounts::Key;
  return call.page<Key>(
      PeopleRooms(call.services).keys.all(call.account().id),
      {by_text<Key>("id", [](const auto& one) { return one.id.value; }),
       by_time<Key>("created_at", [](const auto& one) { return one.created_at; }),
       by_text<Key>("fingerprint", [](const auto& one) { return one.fingerprint; })},
      [&](const Key& key) { return to_json(call, key); });
}

Result<Answer> key_info(Call& call) {
  return ok(to_json(
      call, TRY(PeopleRooms(call.services).keys.find(call.account().id, call.param("key")))));
}

Result<Answer> key_delete(Call& call) {
  return ok(to_json(
      call, TRY(PeopleRooms(call.services).keys.remove(call.account().id, call.param("key")))));
}

}  // namespace renga::api

// Second factor: a code beside the password, asked for when somebody signs in. These calls are
// renga's own, since Heroku's dashboard keeps its to itself; the challenge is Heroku's.
#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/account_objects.h"
#include "api/body.h"
#include "api/objects.h"
#include "api/people_rooms.h"

namespace renga::api {
namespace {

Result<std::string> code_in(const Call& call) {
  const auto header = call.request.headers.find("Heroku-Two-Factor-Code");
  if (header) return std::string(*header);
  return required_text(TRY(call.body()), "code");
}

}  // namespace

Result<Answer> second_factor_begin(Call& call) {
  if (!PeopleRooms(call.services).people.has_password(call.account().id))
    return fail(Kind::invalid,
                "Your account has no password, so there is nothing to ask a code beside. Set one "
                "first: `new_password` in PATCH /account.");
  const auto begun = TRY(PeopleRooms(call.services).second_factors.begin(call.account()));
  return created(json::object{{"secret", begun.secret}, {"url", begun.url}});
}

Result<Answer> second_factor_confirm(Call& call) {
  json::array codes;
  for (const auto& code : TRY(PeopleRooms(call.services)
                                  .second_factors.confirm(call.account().id, TRY(code_in(call)))))
    codes.emplace_back(code);
  return ok(json::object{{"recovery_codes", std::move(codes)}});
}

Result<Answer> second_factor_delete(Call& call) {
  auto factors = PeopleRooms(call.services).second_factors;
  if (!factors.enabled(call.account().id))
    return fail(Kind::not_found, "Two-factor authentication is not on.");
  if (auto checked = factors.check(call.account().id, TRY(code_in(call))); !checked)
    // Not 401: the token of the call is good.
    return fail(Kind::forbidden, checked.error().message);
  factors.remove(call.account().id);
  return ok(account_json(call, call.account()));
}

// For somebody who lost both the phone and the recovery codes.
Result<Answer> second_factor_delete_of_user(Call& call) {
  const auto account = TRY(account_named(call, call.param("user")));
  if (!call.account().admin)
    return fail(Kind::forbidden, "Only an administrator may do this without a code.");
  PeopleRooms(call.services).second_factors.remove(account.id);
  return ok(account_json(call, account));
}

}  // namespace renga::api

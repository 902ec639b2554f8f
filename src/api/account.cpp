// Account: the caller's own. Others' are nobody's business, except by an administrator.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/account_objects.h"
#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/people_rooms.h"
#include "base/text.h"

namespace renga::api {

json::object account_json(const Call& call, const accounts::Account& account) {
  return {
      {"admin", account.admin},
      {"allow_tracking", false},
      {"beta", false},
      {"country_of_residence", nullptr},
      {"created_at", rfc3339(account.created_at)},
      {"default_organization", nullptr},
      {"default_team", nullptr},
      {"delinquent_at", nullptr},
      {"email", account.email},
      {"federated", false},
      {"id", account.id.value},
      {"identity_provider", nullptr},
      {"last_login", nullptr},
      {"name", text_or_null(account.name)},
      {"sms_number", nullptr},
      {"suspended_at", nullptr},
      {"two_factor_authentication", PeopleRooms(call.services).second_factors.enabled(account.id)},
      {"updated_at", rfc3339(account.updated_at)},
      {"verified", true},
  };
}

Result<accounts::Account> account_named(const Call& call, std::string_view identity) {
  const auto& self = call.account();
  if (identity == "~" || identity == self.id.value ||
      text::equals_ignoring_case(identity, self.email))
    return self;
  if (self.admin) return call.services.accounts.find(identity);
  return fail(Kind::not_found,
              "Couldn't find that user. Only your own account can be asked for: /users/~.");
}

namespace {

// A token alone does not change a password that is there: whoever found one would own the account.
Result<void> change_password(const Call& call, const accounts::Account& account,
                             const json::object& body) {
  const auto wanted = TRY(text_in(body, "new_password"));
  if (!wanted) return {};
  auto& accounts = call.services.accounts;
  if (account.id != call.account().id)
    return fail(Kind::forbidden,
                "Nobody sets the password of another account. Make a password reset and hand over "
                "its token: POST /password-resets.");
  if (PeopleRooms(call.services).people.has_password(account.id)) {
    const auto current = TRY(text_in(body, "password"));
    if (!current)
      return fail(Kind::invalid, "`password` is required beside `new_password`: the present one.");
    const auto& peer = call.request.peer;
    if (!call.parts.sign_ins.take(peer.substr(0, peer.rfind(':'))))
      return fail(Kind::rate_limited, "Too many attempts from this address. Wait a minute.");
    if (!accounts.sign_in(account.email, *current))
      return fail(Kind::invalid, "`password` is not the present password of this account.");
  }
  return accounts.set_password(account.id, *wanted);
}

Result<Answer> update(Call& call, const accounts::Account& account) {
  const auto body = TRY(call.body());
  const auto name = TRY(text_in(body, "name"));
  const auto email = TRY(text_in(body, "email"));
  const auto admin = TRY(flag_in(body, "admin"));
  if (admin && !call.account().admin)
    return fail(Kind::forbidden, "Only an administrator makes another one: `admin`.");
  TRY(change_password(call, account, body));
  auto changed = TRY(call.services.accounts.update(account.id, email, name));
  if (admin) changed = TRY(PeopleRooms(call.services).people.set_admin(account.id, *admin));
  return ok(account_json(call, changed));
}

Result<Answer> remove(Call& call, const accounts::Account& account) {
  return ok(account_json(call, TRY(PeopleRooms(call.services).people.remove(account.id))));
}

}  // namespace

Result<Answer> account_info(Call& call) { return ok(account_json(call, call.account())); }
Result<Answer> account_update(Call& call) { return update(call, call.account()); }
Result<Answer> account_delete(Call& call) { return remove(call, call.account()); }

Result<Answer> user_info(Call& call) {
  return ok(account_json(call, TRY(account_named(call, call.param("user")))));
}
Result<Answer> user_update(Call& call) {
  return update(call, TRY(account_named(call, call.param("user"))));
}
Result<Answer> user_delete(Call& call) {
  return remove(call, TRY(account_named(call, call.param("user"))));
}

// Nobody owes anything here.
Result<Answer> account_delinquency(Call&) {
  return ok(
      json::object{{"scheduled_deletion_time", nullptr}, {"scheduled_suspension_time", nullptr}});
}

// Clients ask for it to show what is left of the month's Eco hours, and are content without.
Result<Answer> account_quota(Call&) {
  return fail(Kind::not_found, "Dyno hours are not metered on this server.");
}

}  // namespace renga::api

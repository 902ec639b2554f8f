// Account: the caller's own. Others' are nobody's business, except by the admin.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::object to_json(const accounts::Account& account) {
  return {
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
      {"two_factor_authentication", false},
      {"updated_at", rfc3339(account.updated_at)},
      {"verified", true},
  };
}

Result<accounts::Account> user_of(const Call& call) {
  const auto& identity = call.param("user");
  const auto& self = call.account();
  if (identity == "~" || identity == self.id.value ||
      text::equals_ignoring_case(identity, self.email))
    return self;
  if (self.admin) return call.services.accounts.find(identity);
  return fail(Kind::not_found,
              "Couldn't find that user. Only your own account can be asked for: /users/~.");
}

Result<Answer> update(Call& call, const accounts::Account& account) {
  const auto body = TRY(call.body());
  const auto name = TRY(text_in(body, "name"));
  const auto email = TRY(text_in(body, "email"));
  return ok(to_json(TRY(call.services.accounts.update(account.id, email, name))));
}

}  // namespace

Result<Answer> account_info(Call& call) { return ok(to_json(call.account())); }

Result<Answer> account_update(Call& call) { return update(call, call.account()); }

Result<Answer> user_info(Call& call) { return ok(to_json(TRY(user_of(call)))); }

Result<Answer> user_update(Call& call) { return update(call, TRY(user_of(call))); }

// Clients ask for it to show what is left of the month's Eco hours, and are content without.
Result<Answer> account_quota(Call&) {
  return fail(Kind::not_found, "Dyno hours are not metered on this server.");
}

}  // namespace renga::api

// People: the accounts of the server, for its administrators; and passwords for those who have none
// yet, or none any more. Nobody signs up by themselves: an administrator makes the account and
// hands over the token of a password reset.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/account_objects.h"
#include "api/body.h"
#include "api/objects.h"
#include "api/people_rooms.h"

namespace renga::api {
namespace {

Result<void> administrators_only(const Call& call) {
  if (call.account().admin) return {};
  return fail(Kind::forbidden, "Only an administrator of the server may do this.");
}

json::object to_json(const accounts::PasswordReset& reset) {
  json::object object{
      {"created_at", rfc3339(reset.created_at)},
      {"expires_at", rfc3339(reset.expires_at)},
      {"user", json::object{{"email", reset.account.email}, {"id", reset.account.id.value}}}};
  if (!reset.token.empty()) object["token"] = reset.token;
  return object;
}

}  // namespace

Result<Answer> people_list(Call& call) {
  TRY(administrators_only(call));
  using accounts::Account;
  return call.page<Account>(
      call.services.accounts.all(),
      {by_text<Account>("email", [](const auto& one) { return one.email; }),
       by_text<Account>("id", [](const auto& one) { return one.id.value; }),
       by_time<Account>("created_at", [](const auto& one) { return one.created_at; })},
      [&](const Account& account) { return account_json(call, account); });
}

Result<Answer> people_create(Call& call) {
  TRY(administrators_only(call));
  const auto body = TRY(call.body());
  const auto email = TRY(required_text(body, "email"));
  const auto name = TRY(text_in(body, "name")).value_or("");
  const auto admin = TRY(flag_in(body, "admin")).value_or(false);
  auto transaction = call.services.database.begin();
  const auto account = TRY(call.services.accounts.create(email, name, admin));
  const auto reset = TRY(PeopleRooms(call.services).password_resets.create(account.id));
  transaction.commit();
  auto object = account_json(call, account);
  object["password_reset"] = to_json(reset);
  return created(std::move(object));
}

Result<Answer> password_reset_create(Call& call) {
  const auto body = TRY(call.body());
  const auto email = TRY(required_text(body, "email"));
  if (!call.account().admin)
    return fail(Kind::forbidden,
                "This server sends no mail. Ask an administrator for a password reset, or change "
                "your own password with `new_password` in PATCH /account.");
  const auto account = TRY(call.services.accounts.find(email));
  return created(to_json(TRY(PeopleRooms(call.services).password_resets.create(account.id))));
}

Result<Answer> password_reset_finalize(Call& call) {
  // The token cannot be guessed; but each try costs the work of a password.
  const auto& peer = call.request.peer;
  if (!call.parts.sign_ins.take(peer.substr(0, peer.rfind(':'))))
    return fail(Kind::rate_limited, "Too many attempts from this address. Wait a minute.");
  const auto body = TRY(call.body());
  const auto password = TRY(required_text(body, "password"));
  if (TRY(required_text(body, "password_confirmation")) != password)
    return fail(Kind::invalid, "`password_confirmation` is not the same as `password`.");
  return ok(to_json(
      TRY(PeopleRooms(call.services).password_resets.finalize(call.param("token"), password))));
}

}  // namespace renga::api

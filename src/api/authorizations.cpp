// Authorization: a token and what it may do. Its text is told once, when it is made.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "accounts/authorization_description.h"
#include "accounts/second_factors.h"
#include "api/account_handlers.h"
#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"

namespace renga::api {
namespace {

std::string token_id(const accounts::Authorization& authorization) {
  return fixed_uuid("token/" + authorization.id.value);
}

json::object to_json(const Call& call, const accounts::Authorization& authorization) {
  // A caller knows the token that the call was made with; of others only the first characters are
  // known. Clients find their own token in a list by what stands before and behind the asterisks,
  // so what stands behind them here is no end that a token could have.
  auto token = authorization.token;
  if (token.empty() && authorization.id == call.caller.authorization.id) token = call.caller.token;
  if (token.empty()) token = authorization.token_hint + "**********(hidden)";

  json::value expires_in = nullptr;
  if (authorization.expires_at) {
    const auto left = std::chrono::floor<std::chrono::seconds>(*authorization.expires_at -
                                                               call.services.clock.now());
    expires_in = std::max<std::int64_t>(left.count(), 0);
  }
  json::array scope;
  for (const auto& word : authorization.scope) scope.emplace_back(word);
  const auto& account = call.account();
  return {
      {"access_token", json::object{{"expires_in", std::move(expires_in)},
                                    {"id", token_id(authorization)},
                                    {"token", token}}},
      {"client", nullptr},
      {"created_at", rfc3339(authorization.created_at)},
      {"description", authorization.description},
      {"grant", nullptr},
      {"id", authorization.id.value},
      {"refresh_token", nullptr},
      {"scope", std::move(scope)},
      {"session", nullptr},
      {"updated_at", rfc3339(authorization.updated_at)},
      {"user", json::object{{"email", account.email},
                            {"full_name", text_or_null(account.name)},
                            {"id", account.id.value}}},
  };
}

Result<std::vector<std::string>> scope_in(const json::object& body) {
  std::vector<std::string> scope;
  const auto* given = TRY(array_in(body, "scope"));
  if (given == nullptr) return scope;
  for (const auto& word : *given) {
    if (!word.is_string()) return fail(Kind::invalid, "`scope` must be an array of strings.");
    scope.emplace_back(word.get_string().c_str());
  }
  return scope;
}

// Clients look at `resource` to tell a missing authorization from a missing session.
Result<Answer> found(Call& call, const Result<accounts::Authorization>& authorization) {
  if (authorization) return ok(to_json(call, *authorization));
  return refusal(authorization.error(), "authorization");
}

// Whoever comes with a password, and not with a token, shows the code beside it that the account
// wants. True: there was none. Kind::unauthorized: a wrong one.
Result<bool> lacks_second_factor(const Call& call) {
  accounts::SecondFactors second_factors(call.services.database, call.services.clock,
                                         call.services.box);
  if (!call.caller.token.empty() || !second_factors.enabled(call.account().id)) return false;
  const auto code = call.request.headers.value_or("Heroku-Two-Factor-Code", "");
  if (code.empty()) return true;
  TRY(second_factors.check(call.account().id, code));
  return false;
}

}  // namespace

Result<Answer> authorization_create(Call& call) {
  if (TRY(lacks_second_factor(call)))
    // Clients know this id, ask their user and send the call again.
    return refusal(403, "two_factor",
                   "Your account is protected by a second factor. Send the code of your app, or a "
                   "recovery code, as Heroku-Two-Factor-Code.");
  const auto body = TRY(call.body());
  const auto description = TRY(text_in(body, "description")).value_or("");
  auto scope = TRY(scope_in(body));
  std::optional<std::chrono::seconds> expires_in;
  if (const auto seconds = TRY(number_in(body, "expires_in"))) {
    if (*seconds < 1 || *seconds > 315'360'000)
      return fail(Kind::invalid, "`expires_in` must be between 1 second and 10 years (315360000).");
    expires_in = std::chrono::seconds(*seconds);
  }
  return created(to_json(call, TRY(call.services.authorizations.create(
                                   call.account().id, description, std::move(scope), expires_in))));
}

Result<Answer> authorization_list(Call& call) {
  using accounts::Authorization;
  return call.page<Authorization>(
      call.services.authorizations.all(call.account().id),
      {by_time<Authorization>("created_at", [](const auto& one) { return one.created_at; }),
       by_text<Authorization>("id", [](const auto& one) { return one.id.value; })},
      [&](const Authorization& authorization) { return to_json(call, authorization); });
}

// `~` is the default API key of an account, which is spared when somebody signs out: there is none
// here.
Result<Answer> authorization_info(Call& call) {
  return found(call,
               call.services.authorizations.find(call.account().id, call.param("authorization")));
}

Result<Answer> authorization_update(Call& call) {
  const auto body = TRY(call.body());
  if (TRY(object_in(body, "client")) != nullptr)
    return fail(Kind::unsupported,
                "There are no OAuth clients on this server: leave out `client`.");
  const auto description = TRY(text_in(body, "description"));
  if (!description) return fail(Kind::invalid, "`description` is required.");
  return found(call,
               accounts::describe(call.services.database, call.services.clock, call.account().id,
                                  call.param("authorization"), *description));
}

Result<Answer> authorization_delete(Call& call) {
  return found(call,
               call.services.authorizations.revoke(call.account().id, call.param("authorization")));
}

Result<Answer> authorization_regenerate(Call& call) {
  auto answer = TRY(found(call, call.services.authorizations.regenerate(
                                    call.account().id, call.param("authorization"))));
  if (answer.status == 200) answer.status = 201;
  return answer;
}

// Codes to exchange for tokens are given out for OAuth clients, of which there are none.
Result<Answer> token_create(Call&) {
  return fail(
      Kind::unsupported,
      "There are no OAuth clients on this server, so no grant can be exchanged for a token. "
      "Make a token with POST /oauth/authorizations.");
}

// A token goes with the authorization that it is of.
Result<Answer> token_delete(Call& call) {
  auto& authorizations = call.services.authorizations;
  for (const auto& each : authorizations.all(call.account().id))
    if (token_id(each) == call.param("token"))
      return found(call, authorizations.revoke(call.account().id, each.id.value));
  return refusal({Kind::not_found, "Couldn't find that token."}, "token");
}

// Signing in makes an authorization, never a session.
Result<Answer> session_delete(Call&) {
  return refusal(
      {Kind::not_found, "Couldn't find that session: this server makes authorizations instead."},
      "session");
}

}  // namespace renga::api

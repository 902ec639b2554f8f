// Authorization: a token and what it may do. Its text is told once, when it is made.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "accounts/authorization_description.h"
#include "accounts/refresh_tokens.h"
#include "accounts/second_factors.h"
#include "api/account_handlers.h"
#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"

namespace renga::api {
namespace {

// Of an access token that can be renewed, unless its maker says otherwise.
constexpr std::chrono::seconds refreshed_lifetime = std::chrono::hours(8);

std::string token_id(const accounts::Authorization& authorization) {
  return fixed_uuid("token/" + authorization.id.value);
}

accounts::RefreshTokens refresh_tokens(const Call& call) {
  return {call.services.database, call.services.clock};
}

// Of tokens that were told before only the first characters are known. Clients find their own token
// in a list by what stands before and behind the asterisks, so what stands behind them here is no
// end that a token could have.
std::string hidden(std::string_view hint) { return std::string(hint) + "**********(hidden)"; }

json::value expires_in(const Call& call, const accounts::Authorization& authorization) {
  if (!authorization.expires_at) return nullptr;
  const auto left = std::chrono::floor<std::chrono::seconds>(*authorization.expires_at -
                                                             call.services.clock.now());
  return std::max<std::int64_t>(left.count(), 0);
}

json::object to_json(const accounts::RefreshToken& refresh) {
  return {{"expires_in", nullptr},  // it lives as long as its authorization
          {"id", refresh.id.value},
          {"token", refresh.token.empty() ? hidden(refresh.token_hint) : refresh.token}};
}

// `refresh`: when its text is to be told; else the one that the authorization has, if any.
json::object to_json(const Call& call, const accounts::Authorization& authorization,
                     std::optional<accounts::RefreshToken> refresh = {}) {
  // A caller knows the token that the call was made with.
  auto token = authorization.token;
  if (token.empty() && authorization.id == call.caller.authorization.id) token = call.caller.token;
  if (token.empty()) token = hidden(authorization.token_hint);
  if (!refresh) refresh = refresh_tokens(call).of(authorization.id);
  json::array scope;
  for (const auto& word : authorization.scope) scope.emplace_back(word);
  const auto& account = call.account();
  return {
      {"access_token", json::object{{"expires_in", expires_in(call, authorization)},
                                    {"id", token_id(authorization)},
                                    {"token", token}}},
      {"client", nullptr},
      {"created_at", rfc3339(authorization.created_at)},
      {"description", authorization.description},
      {"grant", nullptr},
      {"id", authorization.id.value},
      {"refresh_token", refresh ? json::value(to_json(*refresh)) : json::value(nullptr)},
      {"scope", std::move(scope)},
      {"session", nullptr},
      {"updated_at", rfc3339(authorization.updated_at)},
      {"user", json::object{{"email", account.email},
                            {"full_name", text_or_null(account.name)},
                            {"id", account.id.value}}},
  };
}

// The two tokens of an authorization, with their texts where they are known. Heroku's schema has
// objects where there is nothing to tell.
json::object to_token(const Call& call, const accounts::Authorization& authorization,
                      const std::optional<accounts::RefreshToken>& refresh) {
  const auto& access = authorization.token;
  return {
      {"access_token",
       json::object{{"expires_in", expires_in(call, authorization)},
                    {"id", token_id(authorization)},
                    {"token", access.empty() ? hidden(authorization.token_hint) : access}}},
      {"authorization", json::object{{"id", authorization.id.value}}},
      {"client", nullptr},
      {"created_at", rfc3339(authorization.updated_at)},
      {"grant", refresh ? json::object{{"code", ""}, {"type", "refresh_token"}} : json::object()},
      {"id", token_id(authorization)},
      {"refresh_token", refresh ? to_json(*refresh) : json::object()},
      {"session", json::object{{"id", authorization.id.value}}},
      {"updated_at", rfc3339(authorization.updated_at)},
      {"user", json::object{{"id", authorization.account.value}}},
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
  const bool refreshes = TRY(flag_in(body, "refresh_token")).value_or(false);
  std::optional<std::chrono::seconds> expires_in;
  if (refreshes) expires_in = refreshed_lifetime;
  if (const auto seconds = TRY(number_in(body, "expires_in"))) {
    if (*seconds < 1 || *seconds > 315'360'000)
      return fail(Kind::invalid, "`expires_in` must be between 1 second and 10 years (315360000).");
    expires_in = std::chrono::seconds(*seconds);
  }

  auto transaction = call.services.database.begin();
  const auto made = TRY(call.services.authorizations.create(call.account().id, description,
                                                            std::move(scope), expires_in));
  std::optional<accounts::RefreshToken> refresh;
  if (refreshes) refresh = refresh_tokens(call).create(made.id);
  transaction.commit();
  return created(to_json(call, made, std::move(refresh)));
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

// Both tokens: whoever found out about the old ones has none that is good.
Result<Answer> authorization_regenerate(Call& call) {
  auto transaction = call.services.database.begin();
  const auto renewed =
      call.services.authorizations.regenerate(call.account().id, call.param("authorization"));
  if (!renewed) return refusal(renewed.error(), "authorization");
  auto refresh = refresh_tokens(call).of(renewed->id);
  if (refresh) refresh = refresh_tokens(call).create(renewed->id);
  transaction.commit();
  return created(to_json(call, *renewed, std::move(refresh)));
}

// A refresh token is all that is asked for: the access token that it stands for may have expired.
// There are no OAuth clients here, so no secret of one is looked at, and no code is given out that
// could be exchanged.
Result<Answer> token_create(Call& call) {
  const auto body = TRY(call.body());
  const auto* grant = TRY(object_in(body, "grant"));
  const auto type = grant == nullptr ? std::nullopt : TRY(text_in(*grant, "type"));
  if (type == "authorization_code")
    return fail(
        Kind::unsupported,
        "There are no OAuth clients on this server, so no code can be exchanged for a token. "
        "Make a token with POST /oauth/authorizations.");
  if (type != "refresh_token")
    return fail(Kind::invalid, R"(`grant` must be {"type": "refresh_token"}.)");
  const auto* given = TRY(object_in(body, "refresh_token"));
  if (given == nullptr)
    return fail(Kind::invalid, R"(`refresh_token` is required: {"token": "…"}.)");
  const auto token = TRY(required_text(*given, "token"));
  const auto renewed = TRY(refresh_tokens(call).use(token));
  auto refresh = refresh_tokens(call).of(renewed.id);
  if (refresh) refresh->token = token;
  return created(to_token(call, renewed, refresh));
}

// A token goes with the authorization that it is of; so does a refresh token.
Result<Answer> token_delete(Call& call) {
  auto& authorizations = call.services.authorizations;
  for (const auto& each : authorizations.all(call.account().id)) {
    const auto refresh = refresh_tokens(call).of(each.id);
    if (token_id(each) == call.param("token") ||
        (refresh && refresh->id.value == call.param("token")))
      return ok(
          to_token(call, TRY(authorizations.revoke(call.account().id, each.id.value)), refresh));
  }
  return refusal({Kind::not_found, "Couldn't find that token."}, "token");
}

// Signing in makes an authorization, never a session.
Result<Answer> session_delete(Call&) {
  return refusal(
      {Kind::not_found, "Couldn't find that session: this server makes authorizations instead."},
      "session");
}

}  // namespace renga::api

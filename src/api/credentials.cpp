#include "api/credentials.h"

#include <fmt/format.h>

#include "base/text.h"

namespace renga::api {
namespace {

accounts::Access access_of(Needs needs) {
  switch (needs) {
    case Needs::nothing:
    case Needs::identity:
      return accounts::Access::identity;
    case Needs::read:
    case Needs::read_or_provider:
      return accounts::Access::read;
    case Needs::read_protected:
    case Needs::read_protected_or_provider:
      return accounts::Access::read_protected;
    case Needs::write:
      return accounts::Access::write;
    case Needs::write_protected:
      return accounts::Access::write_protected;
    case Needs::password:
    case Needs::everything:
    case Needs::provider:
      break;
  }
  return accounts::Access::everything;
}

std::unexpected<Error> no_credentials() {
  return fail(Kind::unauthorized,
              "There were no credentials in this call. Send `Authorization: Bearer TOKEN`.");
}

bool takes_providers(Needs needs) {
  return needs == Needs::provider || needs == Needs::read_or_provider ||
         needs == Needs::read_protected_or_provider;
}

}  // namespace

Result<Caller> Credentials::check(const http::Request& request, Needs needs) {
  auto caller = TRY(identify(request, needs));
  if (caller.addon) return caller;
  if (needs == Needs::provider)
    return fail(Kind::forbidden,
                "Only the add-on's provider may do this, with the token of its grant.");
  if (!accounts::allows(caller.authorization, access_of(needs)))
    return fail(
        Kind::forbidden,
        fmt::format("The scope of this token ({}) does not allow this call. Use a token with "
                    "the scope global.",
                    text::join(caller.authorization.scope, ", ")));
  return caller;
}

Result<Caller> Credentials::identify(const http::Request& request, Needs needs) {
  const auto header = request.headers.find("Authorization");
  if (!header) return no_credentials();
  const auto [scheme, rest] = text::split_once(text::trim(*header), ' ');
  const auto value = text::trim(rest);

  std::string user;
  std::string token;
  if (text::equals_ignoring_case(scheme, "Bearer")) {
    token = value;
  } else if (text::equals_ignoring_case(scheme, "Basic")) {
    const auto plain = text::from_base64(value);
    if (!plain) return fail(Kind::unauthorized, "The Basic credentials are not valid base64.");
    const auto [name, password] = text::split_once(*plain, ':');
    user = name;
    token = password;
  } else {
    return no_credentials();
  }
  if (token.empty()) return no_credentials();

  auto authorization = authorizations_.check(token);
  if (authorization) {
    auto account = TRY(accounts_.find(authorization->account));
    return Caller{std::move(account), *std::move(authorization), std::move(token)};
  }
  if (takes_providers(needs)) return provider_with(std::move(token));
  if (needs != Needs::password || user.find('@') == std::string::npos)
    return std::unexpected(authorization.error());

  // A password costs a tenth of a second to check, and may be guessed at: both are bounded by
  // address.
  const auto address = request.peer.substr(0, request.peer.rfind(':'));
  if (!attempts_.take(address))
    return fail(Kind::rate_limited,
                "Too many attempts to sign in from this address. Wait a minute.");
  auto account = TRY(accounts_.sign_in(user, token));
  Caller caller{std::move(account), {}, {}};
  caller.authorization.account = caller.account.id;
  caller.authorization.scope = {"global"};
  return caller;
}

Result<Caller> Credentials::provider_with(std::string token) {
  const auto id = TRY(marketplace_.grants.check(token));
  const auto addon = TRY(marketplace_.addons.find(id.value));
  Caller caller;
  caller.account.id = Id<accounts::Account>{addon.service.value};
  caller.account.email =
      marketplace_.owed.email_of(caller.account.id).value_or("provider@localhost");
  caller.token = std::move(token);
  caller.addon = addon.id;
  return caller;
}

}  // namespace renga::api

// Refresh tokens: an authorization whose access token lives for hours may have one, with which its
// holder fetches the next access token and nothing else. It lives as long as the authorization, and
// its text, like that of every token, is known when it is made and never again. Every call blocks
// on the store and is safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "accounts/authorizations.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::accounts {

struct RefreshToken {
  Id<RefreshToken> id;
  std::string token;  // only in the answer to create(); else empty
  std::string token_hint;
};

class RefreshTokens {
 public:
  RefreshTokens(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // In place of the one that the authorization has, if it has one.
  RefreshToken create(const Id<Authorization>& authorization);
  std::optional<RefreshToken> of(const Id<Authorization>& authorization);
  // The authorization with another access token, good for as long as the first one was made for;
  // the one before is worth nothing any more. Kind::unauthorized: no such refresh token.
  Result<Authorization> use(std::string_view token);

 private:
  store::Database& database_;
  Clock& clock_;
};

}  // namespace renga::accounts

#include "accounts/refresh_tokens.h"

#include "accounts/token_text.h"
#include "crypto/digest.h"

namespace renga::accounts {

RefreshToken RefreshTokens::create(const Id<Authorization>& authorization) {
  RefreshToken made{Id<RefreshToken>::create(), make_token(), {}};
  made.token_hint = made.token.substr(0, hint_size);
  database_.run(
      "INSERT OR REPLACE INTO refresh_tokens (authorization, id, token_hash, token_hint, "
      "created_at) VALUES (?, ?, ?, ?, ?)",
      authorization, made.id, crypto::sha256(made.token), made.token_hint, clock_.now());
  return made;
}

std::optional<RefreshToken> RefreshTokens::of(const Id<Authorization>& authorization) {
  return database_.first(
      "SELECT id, token_hint FROM refresh_tokens WHERE authorization = ?",
      [](const store::Row& row) {
        return RefreshToken{row.id<RefreshToken>(0), {}, row.text(1)};
      },
      authorization);
}

Result<Authorization> RefreshTokens::use(std::string_view token) {
  struct Whose {
    Id<Authorization> authorization;
    Id<Account> account;
  };
  auto transaction = database_.begin();
  const auto found = database_.first(
      "SELECT authorizations.id, authorizations.account FROM refresh_tokens JOIN authorizations "
      "ON authorizations.id = refresh_tokens.authorization WHERE refresh_tokens.token_hash = ?",
      [](const store::Row& row) {
        return Whose{row.id<Authorization>(0), row.id<Account>(1)};
      },
      crypto::sha256(token));
  if (!found)
    return fail(Kind::unauthorized,
                "The refresh token is not valid any more: its authorization was revoked, or has "
                "another one. Make a new authorization.");
  auto renewed =
      TRY(Authorizations(database_, clock_).regenerate(found->account, found->authorization.value));
  transaction.commit();
  return renewed;
}

}  // namespace renga::accounts

// Authorizations: the tokens that calls are made with. Tokens are stored as SHA-256 only; the text
// of one is known when it is created and never again. Every call blocks on the store and is safe
// from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "accounts/account.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::accounts {

struct Authorization {
  Id<Authorization> id;
  Id<Account> account;
  std::string description;
  std::vector<std::string> scope;
  std::string token;       // only in the answer to create() and regenerate(); else empty
  std::string token_hint;  // the first 12 characters, 5 of them random, to tell tokens apart
  std::optional<Time> expires_at;
  Time created_at;
  Time updated_at;
  bool operator==(const Authorization&) const = default;
};

// What a call needs of the token it is made with: to know whose it is; to read or write apps; to
// read or write their config vars (and whatever else holds secrets); or everything, the account and
// its authorizations included.
enum class Access { identity, read, write, read_protected, write_protected, everything };

// Whether a token of this scope may. Writing includes reading, and "global" includes all. For whose
// sake a token is asked, but not which app: that is apps::Apps::find_for.
bool allows(const Authorization& authorization, Access access);

class Authorizations {
 public:
  Authorizations(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // Tokens read `HRKU-AA` and 58 random characters of [0-9A-Za-z_-], as Heroku's do. An empty scope
  // is "global"; no `expires_in` is for ever. Kind::invalid: no such scope, or a time that is not
  // between a second and ten years; Kind::not_found: no such account.
  // Authorizations of the account that have expired are removed on the way.
  Result<Authorization> create(const Id<Account>& account, std::string_view description,
                               std::vector<std::string> scope,
                               std::optional<std::chrono::seconds> expires_in);
  // The authorization a token belongs to. Kind::unauthorized: unknown or expired.
  Result<Authorization> check(std::string_view token);
  // Kind::not_found, also for another account's.
  Result<Authorization> find(const Id<Account>& account, std::string_view id);
  // Oldest first.
  std::vector<Authorization> all(const Id<Account>& account);
  Result<Authorization> revoke(const Id<Account>& account, std::string_view id);
  // Another token in place of the old one, good for as long as the old one was made for.
  Result<Authorization> regenerate(const Id<Account>& account, std::string_view id);

 private:
  store::Database& database_;
  Clock& clock_;
};

}  // namespace renga::accounts

// Authorizations: the tokens that calls are made with. Tokens are stored as SHA-256 only; the text of
// one is known when it is created and never again.
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
  std::string token;  // only in the answer to create() and regenerate(); else empty
  std::string token_hint;  // the first 8 characters, to tell tokens apart
  std::optional<Time> expires_at;
  Time created_at;
  Time updated_at;
  bool operator==(const Authorization&) const = default;
};

class Authorizations {
 public:
  Authorizations(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // Tokens read `HRKU-AA` and 58 random characters of [0-9A-Za-z_-], as Heroku's do.
  Result<Authorization> create(const Id<Account>& account, std::string_view description,
                               std::vector<std::string> scope,
                               std::optional<std::chrono::seconds> expires_in);
  // The authorization a token belongs to. Kind::unauthorized: unknown or expired.
  Result<Authorization> check(std::string_view token);
  Result<Authorization> find(const Id<Account>& account, std::string_view id);
  std::vector<Authorization> all(const Id<Account>& account);
  Result<Authorization> revoke(const Id<Account>& account, std::string_view id);
  Result<Authorization> regenerate(const Id<Account>& account, std::string_view id);

 private:
  store::Database& database_;
  Clock& clock_;
};

}  // namespace renga::accounts

// Password resets: how a person gets a password without knowing one, at the start or after it was
// forgotten. An administrator makes a reset and hands its token over; whoever has the token sets
// the password, once. Tokens are stored as SHA-256. Every call blocks on the store and is safe from
// any thread.
#pragma once

#include <string>
#include <string_view>

#include "accounts/accounts.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::accounts {

struct PasswordReset {
  Account account;
  std::string token;  // only in the answer to create()
  Time created_at;
  Time expires_at;
};

class PasswordResets {
 public:
  static constexpr auto lifetime = std::chrono::days(7);

  PasswordResets(store::Database& database, Clock& clock, Accounts& accounts)
      : database_(database), clock_(clock), accounts_(accounts) {}

  // An earlier one of the account is good for nothing any more.
  Result<PasswordReset> create(const Id<Account>& account);
  // Sets the password. Kind::not_found: no such token, one that was used or has expired;
  // Kind::invalid: a password that is refused, and the token stays good.
  Result<PasswordReset> finalize(std::string_view token, std::string_view password);

 private:
  store::Database& database_;
  Clock& clock_;
  Accounts& accounts_;
};

}  // namespace renga::accounts

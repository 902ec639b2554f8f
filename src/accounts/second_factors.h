// Second factors: a code from an authenticator app, asked for beside the password of accounts that
// set one up. Codes are TOTP; a recovery code stands in for one, once. Every call blocks on the
// store and is safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accounts/accounts.h"
#include "base/result.h"
#include "crypto/secret_box.h"
#include "store/database.h"

namespace renga::accounts {

class SecondFactors {
 public:
  SecondFactors(store::Database& database, Clock& clock, const crypto::SecretBox& box)
      : database_(database), clock_(clock), box_(box) {}

  // Confirmed, and so asked for.
  bool enabled(const Id<Account>& account);

  struct Begun {
    std::string secret;  // in base32
    std::string url;     // "otpauth://totp/…", which apps read as a QR code
  };
  // A new secret, asked for once confirm() has seen a code made with it. Kind::invalid: one is
  // confirmed already.
  Result<Begun> begin(const Account& account);
  // The recovery codes, told only here. Kind::invalid: not begun, or a wrong code.
  Result<std::vector<std::string>> confirm(const Id<Account>& account, std::string_view code);
  // Takes a code of the app, of this half minute or one beside it, or a recovery code; each once.
  // Kind::unauthorized for any other.
  Result<void> check(const Id<Account>& account, std::string_view code);
  void remove(const Id<Account>& account);

 private:
  struct Factor {
    std::string secret;
    bool confirmed = false;
    std::int64_t last_step = 0;
  };
  std::optional<Factor> find(const Id<Account>& account);
  bool take(const Id<Account>& account, const Factor& factor, std::string_view code);

  store::Database& database_;
  Clock& clock_;
  const crypto::SecretBox& box_;
};

}  // namespace renga::accounts

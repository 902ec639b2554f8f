// People: what an administrator does with the accounts of a server, beside making them. Every call
// blocks on the store and is safe from any thread.
#pragma once

#include "accounts/accounts.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::accounts {

class People {
 public:
  People(store::Database& database, Clock& clock, Accounts& accounts)
      : database_(database), clock_(clock), accounts_(accounts) {}

  // Kind::invalid: it is the last administrator.
  Result<Account> set_admin(const Id<Account>& id, bool admin);
  // Its tokens, keys and collaborations go with it. Kind::conflict: it owns something still;
  // Kind::invalid: it is the last administrator.
  Result<Account> remove(const Id<Account>& id);
  bool has_password(const Id<Account>& id);

 private:
  Result<void> keep_an_admin(const Account& leaving);

  store::Database& database_;
  Clock& clock_;
  Accounts& accounts_;
};

}  // namespace renga::accounts

// Accounts: who there is. Every call blocks on the store and is safe from any thread.
#pragma once

#include <string_view>
#include <vector>

#include "accounts/account.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::accounts {

class Accounts {
 public:
  Accounts(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // Kind::invalid: no e-mail address, or one that is taken.
  Result<Account> create(std::string_view email, std::string_view name, bool admin);
  // By id or e-mail address. Kind::not_found.
  Result<Account> find(std::string_view identity);
  Result<Account> find(const Id<Account>& id);
  std::vector<Account> all();
  bool empty();

  // An empty name leaves the name. Kind::invalid for an address that is taken.
  Result<Account> update(const Id<Account>& id, std::optional<std::string> email,
                         std::optional<std::string> name);
  Result<void> set_password(const Id<Account>& id, std::string_view password);
  // The account, if the password is its own. Kind::unauthorized, the same for an unknown address.
  Result<Account> sign_in(std::string_view email, std::string_view password);

 private:
  store::Database& database_;
  Clock& clock_;
};

}  // namespace renga::accounts

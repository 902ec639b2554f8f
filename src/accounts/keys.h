// SSH keys: the public keys that an account's machines have. Every call blocks on the store and is
// safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accounts/account.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::accounts {

struct Key {
  Id<Key> id;
  Id<Account> account;
  std::string public_key;   // "ssh-ed25519 AAAA…", without the comment
  std::string comment;      // "ada@laptop"; may be empty
  std::string fingerprint;  // "SHA256:…", as ssh-keygen -l writes it
  Time created_at;
  Time updated_at;
  bool operator==(const Key&) const = default;
};

class Keys {
 public:
  Keys(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // `line`: what an id_….pub file holds. Kind::invalid: no public key, a private one, one that is
  // too weak, or one that an account has already.
  Result<Key> add(const Id<Account>& account, std::string_view line);
  // Oldest first.
  std::vector<Key> all(const Id<Account>& account);
  // By id or fingerprint. Kind::not_found, also for another account's.
  Result<Key> find(const Id<Account>& account, std::string_view identity);
  Result<Key> remove(const Id<Account>& account, std::string_view identity);

 private:
  store::Database& database_;
  Clock& clock_;
};

}  // namespace renga::accounts

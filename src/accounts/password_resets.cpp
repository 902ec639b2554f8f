#include "accounts/password_resets.h"

#include "accounts/password_rules.h"
#include "base/random.h"
#include "crypto/digest.h"
#include "crypto/password.h"

namespace renga::accounts {

Result<PasswordReset> PasswordResets::create(const Id<Account>& id) {
  auto transaction = database_.begin();
  auto account = TRY(accounts_.find(id));
  const auto now = clock_.now();
  PasswordReset reset{std::move(account), random_hex(32), now, now + lifetime};
  database_.run(
      "INSERT INTO password_resets (account, token_hash, created_at, expires_at) "
      "VALUES (?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET token_hash = excluded.token_hash, "
      "created_at = excluded.created_at, expires_at = excluded.expires_at",
      id, crypto::sha256(reset.token), reset.created_at, reset.expires_at);
  transaction.commit();
  return reset;
}

Result<PasswordReset> PasswordResets::finalize(std::string_view token, std::string_view password) {
  struct Row {
    Id<Account> account;
    Time created_at, expires_at;
  };
  const auto hash = crypto::sha256(token);
  const auto found = database_.first(
      "SELECT account, created_at, expires_at FROM password_resets WHERE token_hash = ?",
      [](const store::Row& row) {
        return Row{row.id<Account>(0), row.time(1), row.time(2)};
      },
      hash);
  const auto refuse = fail(Kind::not_found,
                           "This password reset was used, or has expired, or never was. Ask an "
                           "administrator of the server for another.");
  if (!found || found->expires_at <= clock_.now()) return refuse;

  // Hashed before the store is asked for anything: it takes a while, and others want the store.
  TRY(check_password(password));
  const auto password_hash = crypto::hash_password(password);
  auto transaction = database_.begin();
  if (database_.run("DELETE FROM password_resets WHERE token_hash = ?", hash) == 0) return refuse;
  database_.run("UPDATE accounts SET password_hash = ?, updated_at = ? WHERE id = ?", password_hash,
                clock_.now(), found->account);
  auto account = TRY(accounts_.find(found->account));
  transaction.commit();
  return PasswordReset{std::move(account), {}, found->created_at, found->expires_at};
}

}  // namespace renga::accounts

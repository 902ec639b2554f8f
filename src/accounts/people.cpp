#include "accounts/people.h"

namespace renga::accounts {
namespace {

constexpr int foreign_key_refused = 787;  // SQLITE_CONSTRAINT_FOREIGNKEY

}  // namespace

Result<Account> People::set_admin(const Id<Account>& id, bool admin) {
  auto transaction = database_.begin();
  auto account = TRY(accounts_.find(id));
  if (!admin) TRY(keep_an_admin(account));
  account.admin = admin;
  account.updated_at = clock_.now();
  database_.run("UPDATE accounts SET admin = ?, updated_at = ? WHERE id = ?", admin,
                account.updated_at, id);
  transaction.commit();
  return account;
}

Result<Account> People::remove(const Id<Account>& id) {
  auto account = TRY(accounts_.find(id));
  try {
    auto transaction = database_.begin();
    TRY(keep_an_admin(account));
    database_.run("DELETE FROM accounts WHERE id = ?", id);
    transaction.commit();
  } catch (const store::Failure& failure) {
    // Rooms above keep rows that name their owner, and the store does not let those dangle.
    if (failure.code() != foreign_key_refused) throw;
    return fail(Kind::conflict, account.email +
                                    " still owns apps or pipelines. Transfer or destroy them "
                                    "first.");
  }
  return account;
}

bool People::has_password(const Id<Account>& id) {
  return database_
      .first(
          "SELECT 1 FROM accounts WHERE id = ? AND password_hash IS NOT NULL",
          [](const auto&) { return true; }, id)
      .has_value();
}

Result<void> People::keep_an_admin(const Account& leaving) {
  const auto another = database_.first(
      "SELECT 1 FROM accounts WHERE admin = 1 AND id != ?", [](const auto&) { return true; },
      leaving.id);
  if (!leaving.admin || another) return {};
  return fail(Kind::invalid, leaving.email +
                                 " is the only administrator of this server. Make another account "
                                 "an administrator first.");
}

}  // namespace renga::accounts

#include "accounts/accounts.h"

#include <algorithm>

#include "accounts/password_rules.h"
#include "base/text.h"
#include "crypto/password.h"

namespace renga::accounts {
namespace {

constexpr std::size_t longest_email = 254;  // RFC 5321
constexpr std::size_t longest_name = 200;

std::string select(std::string_view rest) {
  return "SELECT id, email, name, admin, created_at, updated_at, password_hash FROM accounts " +
         std::string(rest);
}

Account read(const store::Row& row) {
  return {row.id<Account>(0), row.text(1), row.text(2), row.flag(3), row.time(4), row.time(5)};
}

// Whether mail would arrive is for the mail to say; this keeps out what cannot be an address and
// what would break a log line or a .netrc. "admin@localhost" is one.
Result<std::string> check_email(std::string_view given) {
  const auto email = text::trim(given);
  const auto at = email.find('@');
  const bool plain = std::ranges::all_of(
      email, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
  if (email.size() > longest_email || !plain || at == std::string_view::npos || at == 0 ||
      at + 1 == email.size() || email.find('@', at + 1) != std::string_view::npos)
    return fail(Kind::invalid, "'" + text::printable(email.substr(0, longest_email)) +
                                   "' is not an e-mail address. One looks like name@example.com.");
  return std::string(email);
}

Result<std::string> check_name(std::string_view given) {
  const auto name = text::trim(given);
  if (name.size() > longest_name)
    return fail(Kind::invalid,
                "The account's name is longer than 200 characters. Give a shorter one.");
  if (text::printable(name) != name)
    return fail(Kind::invalid, "The account's name has control characters in it. Leave them out.");
  return std::string(name);
}

Error taken(const std::string& email) {
  return {Kind::invalid, "The e-mail address " + email + " belongs to another account."};
}

Error not_found() { return {Kind::not_found, "Couldn't find that account."}; }

}  // namespace

Result<Account> Accounts::create(std::string_view given_email, std::string_view given_name,
                                 bool admin) {
  const auto email = TRY(check_email(given_email));
  const auto name = TRY(check_name(given_name));
  const auto now = clock_.now();
  const Account account{Id<Account>::create(), email, name, admin, now, now};

  auto transaction = database_.begin();
  if (find(email)) return std::unexpected(taken(email));
  database_.run(
      "INSERT INTO accounts (id, email, name, admin, created_at, updated_at) VALUES (?, ?, ?, ?, "
      "?, ?)",
      account.id, account.email, account.name, account.admin, now, now);
  transaction.commit();
  return account;
}

Result<Account> Accounts::find(std::string_view identity) {
  auto account =
      database_.first(select("WHERE id = ? OR email = ?"), read, text::lower(identity), identity);
  if (!account) return std::unexpected(not_found());
  return *std::move(account);
}

Result<Account> Accounts::find(const Id<Account>& id) {
  auto account = database_.first(select("WHERE id = ?"), read, id);
  if (!account) return std::unexpected(not_found());
  return *std::move(account);
}

std::vector<Account> Accounts::all() { return database_.all(select("ORDER BY email"), read); }

bool Accounts::empty() {
  return !database_.first("SELECT 1 FROM accounts LIMIT 1", [](const auto&) { return true; });
}

Result<Account> Accounts::update(const Id<Account>& id, std::optional<std::string> email,
                                 std::optional<std::string> name) {
  auto transaction = database_.begin();
  auto account = TRY(find(id));
  if (email && !email->empty()) {
    account.email = TRY(check_email(*email));
    if (const auto other = find(account.email); other && other->id != id)
      return std::unexpected(taken(account.email));
  }
  if (name && !name->empty()) account.name = TRY(check_name(*name));

  account.updated_at = clock_.now();
  database_.run("UPDATE accounts SET email = ?, name = ?, updated_at = ? WHERE id = ?",
                account.email, account.name, account.updated_at, id);
  transaction.commit();
  return account;
}

Result<void> Accounts::set_password(const Id<Account>& id, std::string_view password) {
  TRY(check_password(password));
  // Hashed before the store is asked for anything: it takes a while, and others want the store.
  const auto hash = crypto::hash_password(password);
  if (database_.run("UPDATE accounts SET password_hash = ?, updated_at = ? WHERE id = ?", hash,
                    clock_.now(), id) == 0)
    return std::unexpected(not_found());
  return {};
}

Result<Account> Accounts::sign_in(std::string_view email, std::string_view password) {
  struct Found {
    Account account;
    std::optional<std::string> hash;
  };
  const auto refuse = fail(Kind::unauthorized, "Invalid credentials provided.");
  if (password.size() > longest_password) return refuse;

  auto found = database_.first(
      select("WHERE email = ?"),
      [](const store::Row& row) {
        return Found{read(row), row.maybe_text(6)};
      },
      email);
  if (!found || !found->hash) {
    // The same work as for a known address, so that the time it takes tells nobody which exist.
    crypto::hash_password(password);
    return refuse;
  }
  if (!crypto::password_matches(password, *found->hash)) return refuse;
  return std::move(found->account);
}

}  // namespace renga::accounts

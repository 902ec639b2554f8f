#include "accounts/authorizations.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "accounts/token_text.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace renga::accounts {
namespace {

constexpr std::array<std::string_view, 6> scopes = {"global", "identity",       "read",
                                                    "write",  "read-protected", "write-protected"};
constexpr std::chrono::seconds longest_lifetime = std::chrono::days(3650);
constexpr std::size_t longest_description = 1000;

std::string select(std::string_view rest) {
  return "SELECT id, account, description, scope, token_hint, expires_at, created_at, updated_at "
         "FROM authorizations " +
         std::string(rest);
}

Authorization read(const store::Row& row) {
  Authorization authorization;
  authorization.id = row.id<Authorization>(0);
  authorization.account = row.id<Account>(1);
  authorization.description = row.text(2);
  const auto words = row.text(3);
  for (const auto word : text::split(words, ' ')) authorization.scope.emplace_back(word);
  authorization.token_hint = row.text(4);
  authorization.expires_at = row.maybe_time(5);
  authorization.created_at = row.time(6);
  authorization.updated_at = row.time(7);
  return authorization;
}

Result<std::vector<std::string>> check_scope(std::vector<std::string> scope) {
  if (scope.empty()) scope.emplace_back("global");
  for (const auto& word : scope)
    if (std::ranges::find(scopes, word) == scopes.end())
      return fail(Kind::invalid, "There is no scope '" + text::printable(word) +
                                     "'. There are global, identity, read, write, read-protected "
                                     "and write-protected.");
  std::ranges::sort(scope);
  const auto [first, last] = std::ranges::unique(scope);
  scope.erase(first, last);
  return scope;
}

Error not_found() { return {Kind::not_found, "Couldn't find that authorization."}; }

}  // namespace

bool allows(const Authorization& authorization, Access access) {
  const auto has = [&](std::string_view word) {
    return std::ranges::find(authorization.scope, word) != authorization.scope.end();
  };
  if (has("global")) return true;
  switch (access) {
    case Access::identity:
      return true;  // a token tells whose it is by working at all
    case Access::read:
      return has("read") || allows(authorization, Access::write) || has("read-protected");
    case Access::write:
      return has("write") || has("write-protected");
    case Access::read_protected:
      return has("read-protected") || has("write-protected");
    case Access::write_protected:
      return has("write-protected");
    case Access::everything:
      return false;
  }
  return false;
}

Result<Authorization> Authorizations::create(const Id<Account>& account,
                                             std::string_view description,
                                             std::vector<std::string> wanted_scope,
                                             std::optional<std::chrono::seconds> expires_in) {
  const auto scope = TRY(check_scope(std::move(wanted_scope)));
  if (description.size() > longest_description)
    return fail(Kind::invalid, "The description is longer than 1,000 bytes. Give a shorter one.");
  if (expires_in && (*expires_in < std::chrono::seconds(1) || *expires_in > longest_lifetime))
    return fail(Kind::invalid,
                "An authorization may expire in 1 second to 10 years (315360000 seconds), not in " +
                    std::to_string(expires_in->count()) + " seconds.");

  const auto now = clock_.now();
  Authorization authorization;
  authorization.id = Id<Authorization>::create();
  authorization.account = account;
  authorization.description = description;
  authorization.scope = scope;
  authorization.token = make_token();
  authorization.token_hint = authorization.token.substr(0, hint_size);
  if (expires_in) authorization.expires_at = now + *expires_in;
  authorization.created_at = now;
  authorization.updated_at = now;

  std::optional<std::int64_t> lifetime;
  if (expires_in) lifetime = Duration(*expires_in).count();
  auto transaction = database_.begin();
  if (!database_.first(
          "SELECT 1 FROM accounts WHERE id = ?", [](const auto&) { return true; }, account))
    return fail(Kind::not_found, "Couldn't find that account.");
  // Here, so that a robot that logs in daily does not fill the table.
  database_.run(
      "DELETE FROM authorizations WHERE account = ? AND expires_at <= ? "
      "AND id NOT IN (SELECT authorization FROM refresh_tokens)",
      account, now);
  database_.run(
      "INSERT INTO authorizations (id, account, description, scope, token_hint, expires_at, "
      "created_at, updated_at, lifetime, token_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      authorization.id, account, description, text::join(scope, " "), authorization.token_hint,
      authorization.expires_at, now, now, lifetime, crypto::sha256(authorization.token));
  transaction.commit();
  return authorization;
}

Result<Authorization> Authorizations::check(std::string_view token) {
  // Looked up by hash: how long that takes says nothing about the token itself.
  auto found = database_.first(select("WHERE token_hash = ?"), read, crypto::sha256(token));
  if (!found || (found->expires_at && *found->expires_at <= clock_.now()))
    return fail(Kind::unauthorized, "Invalid credentials provided.");
  return *std::move(found);
}

Result<Authorization> Authorizations::find(const Id<Account>& account, std::string_view id) {
  auto found =
      database_.first(select("WHERE id = ? AND account = ?"), read, text::lower(id), account);
  if (!found) return std::unexpected(not_found());
  return *std::move(found);
}

std::vector<Authorization> Authorizations::all(const Id<Account>& account) {
  return database_.all(select("WHERE account = ? ORDER BY created_at, id"), read, account);
}

Result<Authorization> Authorizations::revoke(const Id<Account>& account, std::string_view id) {
  auto transaction = database_.begin();
  auto authorization = TRY(find(account, id));
  database_.run("DELETE FROM authorizations WHERE id = ?", authorization.id);
  transaction.commit();
  return authorization;
}

Result<Authorization> Authorizations::regenerate(const Id<Account>& account, std::string_view id) {
  auto transaction = database_.begin();
  auto authorization = TRY(find(account, id));
  const auto lifetime = database_.first(
      "SELECT lifetime FROM authorizations WHERE id = ?",
      [](const store::Row& row) { return row.maybe_integer(0); }, authorization.id);

  authorization.token = make_token();
  authorization.token_hint = authorization.token.substr(0, hint_size);
  authorization.updated_at = clock_.now();
  if (lifetime && *lifetime)
    authorization.expires_at = authorization.updated_at + Duration(**lifetime);
  database_.run(
      "UPDATE authorizations SET token_hash = ?, token_hint = ?, expires_at = ?, "
      "updated_at = ? WHERE id = ?",
      crypto::sha256(authorization.token), authorization.token_hint, authorization.expires_at,
      authorization.updated_at, authorization.id);
  transaction.commit();
  return authorization;
}

}  // namespace renga::accounts

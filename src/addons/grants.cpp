#include "addons/grants.h"

#include "base/random.h"
#include "crypto/digest.h"

namespace renga::addons {
namespace {

constexpr std::chrono::minutes grant_life{5};
constexpr std::chrono::hours token_life{8};
// A provider that refreshes in a loop fills no table: the oldest tokens go.
constexpr int most_tokens = 20;

std::unexpected<Error> refuse() {
  return fail(Kind::unauthorized,
              "The grant or the client secret is not valid: unknown, used, expired, or the add-on "
              "is gone.");
}

Id<Addon> read_addon(const store::Row& row) { return row.id<Addon>(0); }

}  // namespace

Grants::Grant Grants::issue(const Id<Addon>& addon) {
  const auto now = clock_.now();
  Grant grant{new_uuid(), now + grant_life};
  auto transaction = database_.begin();
  database_.run("DELETE FROM addon_grants WHERE expires_at <= ?", now);
  database_.run("INSERT INTO addon_grants (code_hash, addon, expires_at) VALUES (?, ?, ?)",
                crypto::sha256(grant.code), addon, grant.expires_at);
  transaction.commit();
  return grant;
}

Result<void> Grants::check_client(const Id<Addon>& addon, std::string_view client_secret) {
  const auto service = database_.first(
      "SELECT service FROM addons WHERE id = ? AND state != 'deprovisioned'",
      [](const store::Row& row) { return row.id<Service>(0); }, addon);
  if (!service ||
      !crypto::equal_in_constant_time(catalog_.secrets(*service).client_secret, client_secret))
    return refuse();
  return {};
}

std::string Grants::issue_token(const Id<Addon>& addon, std::string_view kind,
                                std::optional<Time> expires_at) {
  const auto now = clock_.now();
  const auto token = "HRKU-AP" + random_hex(32);
  database_.run("DELETE FROM addon_tokens WHERE addon = ? AND expires_at <= ?", addon, now);
  database_.run(
      "DELETE FROM addon_tokens WHERE token_hash IN (SELECT token_hash FROM addon_tokens WHERE "
      "addon = ? AND kind = ? ORDER BY created_at DESC LIMIT -1 OFFSET ?)",
      addon, kind, most_tokens - 1);
  database_.run(
      "INSERT INTO addon_tokens (token_hash, addon, kind, expires_at, created_at) "
      "VALUES (?, ?, ?, ?, ?)",
      crypto::sha256(token), addon, kind, expires_at, now);
  return token;
}

Result<Grants::Tokens> Grants::exchange(std::string_view code, std::string_view client_secret) {
  auto transaction = database_.begin();
  const auto addon =
      database_.first("SELECT addon FROM addon_grants WHERE code_hash = ? AND expires_at > ?",
                      read_addon, crypto::sha256(code), clock_.now());
  if (!addon) return refuse();
  TRY(check_client(*addon, client_secret));
  // The code stays good until its end, for the same client: an answer may be lost in a crash, and
  // there is no other way to a token.
  Tokens tokens{issue_token(*addon, "access", clock_.now() + token_life),
                issue_token(*addon, "refresh", std::nullopt), token_life};
  transaction.commit();
  return tokens;
}

Result<Grants::Tokens> Grants::refresh(std::string_view refresh_token,
                                       std::string_view client_secret) {
  auto transaction = database_.begin();
  const auto addon =
      database_.first("SELECT addon FROM addon_tokens WHERE token_hash = ? AND kind = 'refresh'",
                      read_addon, crypto::sha256(refresh_token));
  if (!addon) return refuse();
  TRY(check_client(*addon, client_secret));
  Tokens tokens{issue_token(*addon, "access", clock_.now() + token_life),
                std::string(refresh_token), token_life};
  transaction.commit();
  return tokens;
}

Result<Id<Addon>> Grants::check(std::string_view access_token) {
  const auto addon = database_.first(
      "SELECT addon FROM addon_tokens WHERE token_hash = ? AND kind = 'access' AND expires_at > ?",
      read_addon, crypto::sha256(access_token), clock_.now());
  if (!addon) return fail(Kind::unauthorized, "Invalid credentials provided.");
  return *addon;
}

}  // namespace renga::addons

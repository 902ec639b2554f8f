#include "accounts/second_factors.h"

#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/totp.h"

namespace renga::accounts {
namespace {

constexpr int recovery_codes = 10;

std::string context_of(const Id<Account>& account) { return "second-factor/" + account.value; }

// As people type them: with blanks or dashes, in any case.
std::string plain(std::string_view code) {
  return text::lower(
      text::replace_all(text::replace_all(std::string(text::trim(code)), " ", ""), "-", ""));
}

}  // namespace

std::optional<SecondFactors::Factor> SecondFactors::find(const Id<Account>& account) {
  auto factor = database_.first(
      "SELECT secret, confirmed, last_step FROM second_factors WHERE account = ?",
      [](const store::Row& row) {
        return Factor{row.text(0), row.flag(1), row.integer(2)};
      },
      account);
  if (factor) factor->secret = box_.open(factor->secret, context_of(account));
  return factor;
}

bool SecondFactors::enabled(const Id<Account>& account) {
  return database_
      .first(
          "SELECT 1 FROM second_factors WHERE account = ? AND confirmed = 1",
          [](const auto&) { return true; }, account)
      .has_value();
}

Result<SecondFactors::Begun> SecondFactors::begin(const Account& account) {
  const auto secret = crypto::totp_secret();
  auto transaction = database_.begin();
  if (enabled(account.id))
    return fail(Kind::invalid,
                "Two-factor authentication is on already. Turn it off first to set it up anew.");
  database_.run(
      "INSERT INTO second_factors (account, secret, confirmed, last_step, created_at) "
      "VALUES (?, ?, 0, 0, ?) ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, "
      "last_step = 0, created_at = excluded.created_at",
      account.id, store::Blob{box_.seal(secret, context_of(account.id))}, clock_.now());
  transaction.commit();
  const auto written = crypto::base32(secret);
  return Begun{written, "otpauth://totp/renga:" + text::url_encode(account.email) +
                            "?secret=" + written + "&issuer=renga"};
}

Result<std::vector<std::string>> SecondFactors::confirm(const Id<Account>& account,
                                                        std::string_view code) {
  auto transaction = database_.begin();
  const auto factor = find(account);
  if (!factor || factor->confirmed)
    return fail(Kind::invalid, factor ? "Two-factor authentication is on already."
                                      : "There is nothing to confirm: begin with a new secret.");
  if (!take(account, *factor, plain(code)))
    return fail(Kind::invalid,
                "The code is not the one that your app shows now. Look at both clocks and at the "
                "secret.");
  database_.run("UPDATE second_factors SET confirmed = 1 WHERE account = ?", account);
  std::vector<std::string> codes;
  for (int i = 0; i < recovery_codes; ++i) {
    codes.push_back(random_hex(8));
    database_.run("INSERT INTO recovery_codes (account, code_hash) VALUES (?, ?)", account,
                  crypto::sha256(codes.back()));
  }
  transaction.commit();
  return codes;
}

Result<void> SecondFactors::check(const Id<Account>& account, std::string_view code) {
  auto transaction = database_.begin();
  const auto factor = find(account);
  const auto given = plain(code);
  const bool good = factor && factor->confirmed &&
                    (take(account, *factor, given) ||
                     database_.run("DELETE FROM recovery_codes WHERE account = ? AND code_hash = ?",
                                   account, crypto::sha256(given)) == 1);
  if (!good)
    return fail(Kind::unauthorized,
                "The two-factor code is wrong, or was used before. Wait for the next one.");
  transaction.commit();
  return {};
}

void SecondFactors::remove(const Id<Account>& account) {
  database_.run("DELETE FROM second_factors WHERE account = ?", account);
}

// Clocks differ, so that a code of the half minute before or behind is taken as well; but no older
// one than the last, so that a code that was looked at over a shoulder is worth nothing.
bool SecondFactors::take(const Id<Account>& account, const Factor& factor, std::string_view code) {
  const auto now = crypto::totp_step(clock_.now());
  for (auto step = std::max(now - 1, factor.last_step + 1); step <= now + 1; ++step) {
    if (!crypto::equal_in_constant_time(crypto::totp_code(factor.secret, step), code)) continue;
    database_.run("UPDATE second_factors SET last_step = ? WHERE account = ?", step, account);
    return true;
  }
  return false;
}

}  // namespace renga::accounts

// A public key is a line of three words: its type, its blob in base64, and a comment. The blob is a
// row of fields, each behind its length in four bytes; the first is the type again (RFC 4253,
// section 6.6).
#include "accounts/keys.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "base/text.h"
#include "crypto/digest.h"

namespace renga::accounts {
namespace {

constexpr std::size_t longest_line = 16 * 1024;
constexpr std::size_t longest_comment = 200;
constexpr std::size_t least_rsa_bits = 2048;
constexpr std::size_t most_keys = 100;

constexpr std::array<std::string_view, 7> types = {"ssh-ed25519",
                                                   "ecdsa-sha2-nistp256",
                                                   "ecdsa-sha2-nistp384",
                                                   "ecdsa-sha2-nistp521",
                                                   "ssh-rsa",
                                                   "sk-ssh-ed25519@openssh.com",
                                                   "sk-ecdsa-sha2-nistp256@openssh.com"};

std::string select(std::string_view rest) {
  return "SELECT id, account, public_key, comment, fingerprint, created_at, updated_at FROM keys " +
         std::string(rest);
}

Key read(const store::Row& row) {
  return {row.id<Key>(0), row.id<Account>(1), row.text(2), row.text(3),
          row.text(4),    row.time(5),        row.time(6)};
}

// The next field of a blob, or nothing where it is cut short.
std::optional<std::string_view> next_field(std::string_view& blob) {
  if (blob.size() < 4) return std::nullopt;
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i)
    size = size << 8 | static_cast<unsigned char>(blob[static_cast<std::size_t>(i)]);
  blob.remove_prefix(4);
  if (blob.size() < size) return std::nullopt;
  const auto field = blob.substr(0, size);
  blob.remove_prefix(size);
  return field;
}

// The size of a number as SSH writes it: big endian, with a zero in front of a first bit that is
// set.
std::size_t bits_of(std::string_view number) {
  while (!number.empty() && number.front() == '\0') number.remove_prefix(1);
  if (number.empty()) return 0;
  const auto top =
      std::bit_width(static_cast<unsigned>(static_cast<unsigned char>(number.front())));
  return (number.size() - 1) * 8 + static_cast<std::size_t>(top);
}

std::string fingerprint_of(std::string_view blob) {
  const auto digits = crypto::sha256(blob);
  std::string digest;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    digest += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  auto written = text::base64(digest);
  while (written.ends_with('=')) written.pop_back();
  return "SHA256:" + written;
}

std::unexpected<Error> no_key(std::string why) {
  return fail(Kind::invalid, std::move(why) +
                                 " Give the line of a public key file, as ~/.ssh/id_ed25519.pub: "
                                 "`ssh-ed25519 AAAA… name@machine`.");
}

Error not_found() { return {Kind::not_found, "Couldn't find that key."}; }

Result<Key> parse(std::string_view given) {
  const auto line = text::trim(given);
  if (line.find("PRIVATE KEY") != line.npos)
    return no_key("This is a private key, which belongs on your machine alone; it was not stored.");
  if (line.size() > longest_line) return no_key("The key is longer than 16 KiB.");
  if (line.empty() || line.find('\n') != line.npos) return no_key("That is no public key.");

  const auto [type, rest] = text::split_once(line, ' ');
  const auto [encoded, comment] = text::split_once(text::trim(rest), ' ');
  if (std::ranges::find(types, type) == types.end())
    return no_key("There is no kind of key '" + text::printable(type.substr(0, 64)) + "' here.");
  const auto decoded = text::from_base64(encoded);
  if (!decoded || decoded->empty()) return no_key("The key is cut short or is not base64.");

  std::string_view blob = *decoded;
  if (next_field(blob) != type) return no_key("The key is not of the type that it names.");
  const auto second = next_field(blob);
  if (!second || second->empty()) return no_key("The key is cut short.");
  if (type == "ssh-rsa") {
    const auto modulus = next_field(blob);
    if (!modulus) return no_key("The key is cut short.");
    if (bits_of(*modulus) < least_rsa_bits)
      return fail(Kind::invalid, "An RSA key of " + std::to_string(bits_of(*modulus)) +
                                     " bits is too weak. Make another: `ssh-keygen -t ed25519`.");
  }

  Key key;
  key.public_key = std::string(type) + " " + text::base64(*decoded);
  key.comment = text::printable(text::trim(comment).substr(0, longest_comment));
  key.fingerprint = fingerprint_of(*decoded);
  return key;
}

}  // namespace

Result<Key> Keys::add(const Id<Account>& account, std::string_view line) {
  auto key = TRY(parse(line));
  auto transaction = database_.begin();
  const auto holder = database_.first(
      "SELECT account FROM keys WHERE fingerprint = ?",
      [](const store::Row& row) { return row.id<Account>(0); }, key.fingerprint);
  if (holder)
    return fail(Kind::invalid, *holder == account
                                   ? "You have added this key already."
                                   : "This key belongs to another account. Make one of your own: "
                                     "`ssh-keygen -t ed25519`.");
  if (all(account).size() >= most_keys)
    return fail(Kind::invalid, "An account has at most 100 keys. Remove one that is not used.");

  key.id = Id<Key>::create();
  key.account = account;
  key.created_at = key.updated_at = clock_.now();
  database_.run(
      "INSERT INTO keys (id, account, public_key, comment, fingerprint, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      key.id, account, key.public_key, key.comment, key.fingerprint, key.created_at,
      key.updated_at);
  transaction.commit();
  return key;
}

std::vector<Key> Keys::all(const Id<Account>& account) {
  return database_.all(select("WHERE account = ? ORDER BY created_at, id"), read, account);
}

Result<Key> Keys::find(const Id<Account>& account, std::string_view identity) {
  auto key = database_.first(select("WHERE account = ? AND (id = ? OR fingerprint = ?)"), read,
                             account, text::lower(identity), identity);
  if (!key) return std::unexpected(not_found());
  return *std::move(key);
}

Result<Key> Keys::remove(const Id<Account>& account, std::string_view identity) {
  auto transaction = database_.begin();
  auto key = TRY(find(account, identity));
  database_.run("DELETE FROM keys WHERE id = ?", key.id);
  transaction.commit();
  return key;
}

}  // namespace renga::accounts

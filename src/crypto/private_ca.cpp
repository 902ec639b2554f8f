#include "crypto/private_ca.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "base/random.h"
#include "base/text.h"
#include "crypto/private_file.h"
#include "crypto/x509.h"

namespace renga::crypto {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr auto authority_lifetime = days(3650);
constexpr auto server_lifetime = days(365);
constexpr auto renewal_margin = days(30);
// A client whose clock is behind would find a certificate of this minute not valid yet.
constexpr auto clock_tolerance = hours(24);

constexpr std::string_view key_begins = "-----BEGIN PRIVATE KEY-----";

// As the certificate will give them back: lower case, addresses in their shortest form, each once.
std::vector<std::string> normal(const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const auto& name : names) {
    unsigned char bytes[16];
    char address[INET6_ADDRSTRLEN] = "";
    if (inet_pton(AF_INET6, name.c_str(), bytes) == 1)
      inet_ntop(AF_INET6, bytes, address, sizeof address);
    auto normalised = *address ? std::string(address) : text::lower(name);
    if (normalised.empty() || normalised.size() > 253 ||
        !std::ranges::all_of(normalised, [](char c) { return c > ' ' && c < 0x7f; }))
      throw std::invalid_argument("no server certificate can be made for the name '" +
                                  text::printable(name) + "': not a host name or an IP address");
    if (std::ranges::find(all, normalised) == all.end()) all.push_back(std::move(normalised));
  }
  return all;
}

struct Authority {
  x509::Cert certificate;
  x509::Key key;
};

Authority read_authority(const std::filesystem::path& directory) {
  const auto certificate_file = directory / "ca.pem";
  const auto key_file = directory / "ca.key";
  Authority authority{x509::read_certificate(read_file(certificate_file).value_or("")),
                      x509::read_key(read_file(key_file).value_or(""))};
  if (!authority.certificate || !authority.key ||
      !x509::belongs_to(authority.certificate.get(), authority.key.get()))
    throw std::runtime_error(certificate_file.string() + " and " + key_file.string() +
                             " are not a certificate authority and its key. Put both back from a "
                             "backup, or remove both and give users the new ca.pem.");
  return authority;
}

// The cached certificate, if it still serves.
std::optional<Certificate> still_good(const std::string& cached, const Authority& authority,
                                      std::vector<std::string> wanted, Time now) {
  const auto key_at = cached.find(key_begins);
  if (key_at == std::string::npos) return std::nullopt;
  Certificate certificate{cached.substr(0, key_at), cached.substr(key_at)};

  const auto parsed = x509::read_certificate(certificate.chain);
  const auto key = x509::read_key(certificate.key);
  if (!parsed || !key || !x509::belongs_to(parsed.get(), key.get())) return std::nullopt;
  if (!x509::is_signed_by(parsed.get(), authority.certificate.get())) return std::nullopt;
  std::ranges::sort(wanted);
  if (x509::names(parsed.get()) != wanted) return std::nullopt;
  if (x509::valid_until(parsed.get()) - now < renewal_margin) return std::nullopt;
  return certificate;
}

}  // namespace

PrivateCa::PrivateCa(const std::filesystem::path& directory) : directory_(directory) {
  const auto certificate_file = directory / "ca.pem";
  const auto key_file = directory / "ca.key";
  // The key comes first: a crash in between leaves a key without a certificate, which is the case
  // that can be carried on from.
  if (!read_file(certificate_file)) {
    if (!read_file(key_file)) create_file(key_file, x509::pem(x509::make_key().get()), 0600);
    const auto key = x509::read_key(read_file(key_file).value_or(""));
    if (!key)
      throw std::runtime_error(key_file.string() +
                               " is not a private key. Put it back from a backup, or remove it.");
    // The random part keeps two servers' authorities apart in a client that trusts both.
    const auto now = SystemClock().now();
    const auto authority = x509::make_authority(key.get(), "renga private CA " + random_hex(4),
                                                now - clock_tolerance, now + authority_lifetime);
    create_file(certificate_file, x509::pem(authority.get()), 0644);
  }
  read_authority(directory_);
}

Certificate PrivateCa::server_certificate(const std::vector<std::string>& names) const {
  return server_certificate(names, SystemClock().now());
}

Certificate PrivateCa::server_certificate(const std::vector<std::string>& names, Time now) const {
  const auto wanted = normal(names);
  const auto authority = read_authority(directory_);
  const auto file = directory_ / "server.pem";
  if (auto cached = still_good(read_file(file).value_or(""), authority, wanted, now))
    return *cached;

  auto fresh = issue(wanted, now).certificate;
  replace_file(file, fresh.chain + fresh.key, 0600);
  return fresh;
}

PrivateCa::Issued PrivateCa::issue(const std::vector<std::string>& names, Time now) const {
  const auto wanted = normal(names);
  const auto authority = read_authority(directory_);
  const Time authority_ends = x509::valid_until(authority.certificate.get());
  if (authority_ends <= now)
    throw std::runtime_error(
        "the certificate authority in " + directory_.string() + " ended on " +
        rfc3339(authority_ends) +
        ". Remove ca.pem and ca.key there, start again, and give users the new "
        "ca.pem.");
  const auto key = x509::make_key();
  const Time until = std::min<Time>(now + server_lifetime, authority_ends);
  const auto server = x509::make_server(key.get(), wanted, now - clock_tolerance, until,
                                        authority.certificate.get(), authority.key.get());
  return {{x509::pem(server.get()) + x509::pem(authority.certificate.get()), x509::pem(key.get())},
          until};
}

Certificate PrivateCa::client_certificate(const std::string& common_name) const {
  const auto authority = read_authority(directory_);
  const auto key = x509::make_key();
  const auto now = SystemClock().now();
  const auto client = x509::make_client(key.get(), common_name, now - clock_tolerance,
                                        x509::valid_until(authority.certificate.get()),
                                        authority.certificate.get(), authority.key.get());
  return {x509::pem(client.get()) + x509::pem(authority.certificate.get()), x509::pem(key.get())};
}

std::string PrivateCa::authority() const { return read_file(directory_ / "ca.pem").value_or(""); }

}  // namespace renga::crypto

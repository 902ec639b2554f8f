// PrivateCa: the certificate authority a server makes for itself on its first start, and the
// certificate it serves with. Users trust ca.pem; the CA's key never leaves the data directory.
// Safe from any thread. What OpenSSL or the file system cannot do is an exception.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"

namespace renga::crypto {

// PEM texts.
struct Certificate {
  std::string chain;  // the server's certificate, then the CA's
  std::string key;
  bool operator==(const Certificate&) const = default;
};

class PrivateCa {
 public:
  // Files in `directory`: ca.pem (readable by all), ca.key (0600). Makes what is missing: both, or
  // ca.pem from ca.key, but never a new ca.key beside a ca.pem that users already trust.
  // P-256 keys; the CA is valid for ten years.
  explicit PrivateCa(const std::filesystem::path& directory);

  // A server certificate for these host names and IP addresses (at least one; "*.example.com" is a
  // name too), valid for one year. Cached in server.pem (0600) and made anew when the names change,
  // when this CA did not sign it, or when less than 30 days are left.
  Certificate server_certificate(const std::vector<std::string>& names) const;
  // The same at another time than the system's, for tests.
  Certificate server_certificate(const std::vector<std::string>& names, Time now) const;
  // A new one of the same kind, kept nowhere.
  struct Issued {
    Certificate certificate;
    Time valid_until;
  };
  Issued issue(const std::vector<std::string>& names, Time now) const;
  // A client's, known by its common name (1 to 64 characters); valid as long as this CA, since
  // whoever holds one is not asked to renew it: what ends it is that its name is not let in.
  Certificate client_certificate(const std::string& common_name) const;
  // ca.pem's text.
  std::string authority() const;

 private:
  std::filesystem::path directory_;
};

}  // namespace renga::crypto

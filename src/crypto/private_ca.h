// PrivateCa: the certificate authority a server makes for itself on its first start, and the
// certificate it serves with. Users trust ca.pem; the CA's key never leaves the data directory.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace renga::crypto {

// PEM texts.
struct Certificate {
  std::string chain;
  std::string key;
};

class PrivateCa {
 public:
  // Files in `directory`: ca.pem (readable by all), ca.key (0600). Makes both when they are missing.
  // P-256 keys; the CA is valid for ten years.
  explicit PrivateCa(const std::filesystem::path& directory);

  // A server certificate for these host names and IP addresses, valid for one year. Cached in
  // server.pem (0600) and made anew when the names change or less than 30 days are left.
  Certificate server_certificate(const std::vector<std::string>& names) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace renga::crypto

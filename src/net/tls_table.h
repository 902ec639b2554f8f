// What TlsCertificates holds. Private to net/; with OpenSSL's types, so for .cpp files only.
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "net/tls_server.h"

namespace renga::net {

struct UsableCertificate {
  UsableCertificate() = default;
  ~UsableCertificate();
  UsableCertificate(const UsableCertificate&) = delete;
  UsableCertificate& operator=(const UsableCertificate&) = delete;
  // None: `problem` says why.
  static std::shared_ptr<const UsableCertificate> read(const NamedCertificate& from,
                                                       std::string& problem);

  X509* own = nullptr;
  EVP_PKEY* key = nullptr;
  STACK_OF(X509) * rest = nullptr;
};

struct TlsCertificates::State {
  std::unordered_map<std::string, std::shared_ptr<const UsableCertificate>> by_name;
  std::shared_ptr<const UsableCertificate> fallback;

  const UsableCertificate* find(std::string_view host) const;  // null: there is none at all
};

}  // namespace renga::net

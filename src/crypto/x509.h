// X.509 certificates as values: what renga needs of OpenSSL's, owned and checked. Private to this
// room; included by .cpp files only, since it brings OpenSSL's headers along. Failures are
// std::runtime_error with OpenSSL's own reason.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace renga::crypto::x509 {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Cert = std::unique_ptr<X509, Free>;

Key make_key();  // P-256

// A certificate authority that signs itself, and may sign servers but no further authority.
Cert make_authority(EVP_PKEY* key, const std::string& name, Time from, Time until);
// A TLS server's certificate for these host names and IP addresses, signed by the authority.
Cert make_server(EVP_PKEY* key, const std::vector<std::string>& names, Time from, Time until,
                 X509* authority, EVP_PKEY* authority_key);
// A TLS client's certificate for this common name, which says who it is.
Cert make_client(EVP_PKEY* key, const std::string& common_name, Time from, Time until,
                 X509* authority, EVP_PKEY* authority_key);

std::string pem(X509* certificate);
std::string pem(EVP_PKEY* key);  // PKCS#8, not encrypted
// Null when the text holds none; the first when it holds several.
Cert read_certificate(std::string_view pem);
Key read_key(std::string_view pem);

Time valid_until(X509* certificate);
// The subjectAltName entries as they were given to make_server, sorted.
std::vector<std::string> names(X509* certificate);
bool is_signed_by(X509* certificate, X509* authority);
bool belongs_to(X509* certificate, EVP_PKEY* key);

}  // namespace renga::crypto::x509

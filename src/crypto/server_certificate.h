// Certificates that people bring for their host names: what is in them, and whether a server could
// serve with them. Pure, but for the system's trusted authorities; safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace renga::crypto {

struct CertificateFacts {
  // The host names it is good for, lower case: its subjectAltName, or, where it has none, its
  // common name (which `openssl req -x509` makes, and no browser accepts).
  std::vector<std::string> names;
  std::string subject;  // "/C=DE/O=Example/CN=example.com"
  std::string issuer;
  Time starts_at, expires_at;
  bool self_signed = false;
  bool ca_signed = false;  // by an authority that this machine's system trusts
};

struct ServerCertificate {
  std::string chain;  // PEM: the server's own first, each signed by the next
  std::string key;    // PEM, PKCS#8
};

// Puts a chain and its key, PEM texts of any order and with text in between, into the form that
// servers want. Kind::invalid, with a sentence about what is wrong: no certificate in it, damaged
// PEM, a key that is encrypted, too weak or not of any of the certificates, a certificate that does
// not belong to the chain, or one whose time is over.
Result<ServerCertificate> check_server_certificate(std::string_view chain, std::string_view key,
                                                   Time now);

// Of a chain that was checked before.
CertificateFacts facts_of(const std::string& chain);

// "*.example.com" covers "www.example.com", and nothing above or below.
bool covers(const std::vector<std::string>& names, std::string_view hostname);

}  // namespace renga::crypto

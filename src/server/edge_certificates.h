// The certificates that the router serves apps with: people's own for their domains, and the
// private CA's for the platform's. A star stands for one label and clients want two behind it, so
// below a domain such as "localhost" every app gets a certificate of its own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/apps.h"
#include "apps/sni_endpoints.h"
#include "crypto/private_ca.h"
#include "net/tls_server.h"

namespace renga::server {

class EdgeCertificates {
 public:
  EdgeCertificates(const crypto::PrivateCa& ca, apps::SniEndpoints& endpoints, Clock& clock,
                   std::string domain)
      : ca_(ca), endpoints_(endpoints), clock_(clock), domain_(std::move(domain)) {}

  // All that there are now, the platform's own first. One thread at a time.
  std::vector<net::NamedCertificate> all(const std::vector<apps::App>& apps);

 private:
  const net::NamedCertificate& platform_certificate(const std::vector<std::string>& names);

  const crypto::PrivateCa& ca_;
  apps::SniEndpoints& endpoints_;
  Clock& clock_;
  std::string domain_;
  struct Made {
    net::NamedCertificate certificate;
    Time renew_at;
  };
  std::map<std::string, Made> made_;  // by first name
};

}  // namespace renga::server

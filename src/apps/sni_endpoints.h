// SniEndpoints: the TLS certificates that people bring for their apps' domains. A domain says which
// one it is served with; one without is served with the platform's own. Private keys are stored
// sealed and never given back. Safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/domains.h"
#include "crypto/secret_box.h"
#include "crypto/server_certificate.h"

namespace renga::apps {

struct SniEndpoint {
  Id<SniEndpoint> id;
  Id<App> app;
  std::string name;               // "guarded-island-32432"
  std::string certificate_chain;  // PEM
  std::vector<Id<Domain>> domains;
  Time created_at;
  Time updated_at;
  bool operator==(const SniEndpoint&) const = default;
};

class SniEndpoints {
 public:
  SniEndpoints(store::Database& database, Clock& clock, const crypto::SecretBox& box)
      : database_(database), clock_(clock), box_(box) {}

  std::vector<SniEndpoint> all(const Id<App>& app);                         // oldest first
  Result<SniEndpoint> find(const Id<App>& app, std::string_view identity);  // id or name
  // Kind::invalid: what crypto::check_server_certificate refuses, or past 100 an app.
  Result<SniEndpoint> add(const Id<App>& app, std::string_view chain, std::string_view key);
  // Also refused when a domain that is served with it is not covered any more.
  Result<SniEndpoint> update(const Id<App>& app, std::string_view identity, std::string_view chain,
                             std::string_view key);
  // Its domains are served with the platform's own certificate again.
  Result<SniEndpoint> remove(const Id<App>& app, std::string_view identity);

  // Which certificate a custom domain is served with; none: the platform's own. Kind::invalid: the
  // default domain, or a certificate that does not cover it.
  Result<Domain> assign(const Domain& domain, const std::optional<SniEndpoint>& endpoint);
  // Whether assign() would do it.
  static Result<void> check(std::string_view hostname, const SniEndpoint& endpoint);

  // For the router: every certificate that a domain is served with.
  struct Served {
    std::vector<std::string> hostnames;
    crypto::ServerCertificate certificate;
  };
  std::vector<Served> served();

 private:
  store::Database& database_;
  Clock& clock_;
  const crypto::SecretBox& box_;
};

}  // namespace renga::apps

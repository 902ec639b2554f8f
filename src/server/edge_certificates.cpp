#include "server/edge_certificates.h"

#include <set>

#include "base/report.h"

namespace renga::server {

namespace {
constexpr auto renewed_before = std::chrono::days(30);
}

// Made anew at every start and when its time nears its end: they are cheap, and cached by nobody.
const net::NamedCertificate& EdgeCertificates::platform_certificate(
    const std::vector<std::string>& names) {
  auto& made = made_[names.front()];
  const auto now = clock_.now();
  if (made.certificate.names != names || made.renew_at <= now) {
    const auto issued = ca_.issue(names, now);
    made = {{names, issued.certificate.chain, issued.certificate.key},
            issued.valid_until - renewed_before};
  }
  return made.certificate;
}

std::vector<net::NamedCertificate> EdgeCertificates::all(const std::vector<apps::App>& apps) {
  std::vector<net::NamedCertificate> certificates;
  certificates.push_back(platform_certificate({domain_, "*." + domain_}));
  std::set<std::string> used{domain_};
  if (domain_.find('.') == std::string::npos) {
    for (const auto& app : apps) {
      const auto name = app.name + "." + domain_;
      certificates.push_back(platform_certificate({name}));
      used.insert(name);
    }
  }
  std::erase_if(made_, [&](const auto& one) { return !used.contains(one.first); });
  for (auto& served : endpoints_.served())
    certificates.push_back({std::move(served.hostnames), std::move(served.certificate.chain),
                            std::move(served.certificate.key)});
  return certificates;
}

}  // namespace renga::server

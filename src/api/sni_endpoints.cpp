// SniEndpoint: the certificates that an app's domains are served with over https.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "crypto/digest.h"

namespace renga::api {
namespace {

json::object to_json(const apps::App& app, const apps::SniEndpoint& endpoint) {
  const auto facts = crypto::facts_of(endpoint.certificate_chain);
  json::array domains;
  for (const auto& domain : endpoint.domains) domains.emplace_back(domain.value);
  json::array names;
  for (const auto& name : facts.names) names.emplace_back(name);
  return {
      {"app", app_ref(app)},
      {"certificate_chain", endpoint.certificate_chain},
      {"created_at", rfc3339(endpoint.created_at)},
      {"display_name", nullptr},
      {"domains", std::move(domains)},
      {"id", endpoint.id.value},
      {"name", endpoint.name},
      {"ssl_cert",
       json::object{{"acm", false},
                    {"ca_signed?", facts.ca_signed},
                    {"cert_domains", std::move(names)},
                    {"expires_at", rfc3339(facts.expires_at)},
                    // The certificate's own: it changes with an update, the endpoint's does not.
                    {"id", fixed_uuid("certificate/" + crypto::sha256(endpoint.certificate_chain))},
                    {"issuer", facts.issuer},
                    {"self_signed?", facts.self_signed},
                    {"starts_at", rfc3339(facts.starts_at)},
                    {"subject", facts.subject}}},
      {"updated_at", rfc3339(endpoint.updated_at)},
  };
}

}  // namespace

Result<Answer> sni_endpoint_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto chain = TRY(required_text(body, "certificate_chain"));
  const auto key = TRY(required_text(body, "private_key"));
  const auto endpoint = TRY(call.services.sni_endpoints.add(app.id, chain, key));
  call.log(app.id, fmt::format("Add SSL certificate {}", endpoint.name));
  return created(to_json(app, endpoint));
}

Result<Answer> sni_endpoint_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return call.page<apps::SniEndpoint>(
      call.services.sni_endpoints.all(app.id),
      {by_text<apps::SniEndpoint>("id", [](const auto& endpoint) { return endpoint.id.value; }),
       by_text<apps::SniEndpoint>("name", [](const auto& endpoint) { return endpoint.name; })},
      [&](const apps::SniEndpoint& endpoint) { return to_json(app, endpoint); });
}

Result<Answer> sni_endpoint_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(app, TRY(call.services.sni_endpoints.find(app.id, call.param("endpoint")))));
}

Result<Answer> sni_endpoint_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto chain = TRY(required_text(body, "certificate_chain"));
  const auto key = TRY(required_text(body, "private_key"));
  const auto endpoint =
      TRY(call.services.sni_endpoints.update(app.id, call.param("endpoint"), chain, key));
  call.log(app.id, fmt::format("Update SSL certificate {}", endpoint.name));
  call.services.on_app_change(app.id);
  return ok(to_json(app, endpoint));
}

Result<Answer> sni_endpoint_delete(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto endpoint = TRY(call.services.sni_endpoints.remove(app.id, call.param("endpoint")));
  call.log(app.id, fmt::format("Remove SSL certificate {}", endpoint.name));
  call.services.on_app_change(app.id);
  return ok(to_json(app, endpoint));
}

}  // namespace renga::api

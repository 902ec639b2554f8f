// Domain: the host names an app answers at.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::value endpoint_ref(const Call& call, const apps::App& app, const apps::Domain& domain) {
  if (!domain.sni_endpoint) return nullptr;
  const auto endpoint = call.services.sni_endpoints.find(app.id, *domain.sni_endpoint);
  if (!endpoint) return nullptr;
  return json::object{{"id", endpoint->id.value}, {"name", endpoint->name}};
}

json::object to_json(const Call& call, const apps::App& app, const apps::Domain& domain) {
  return {
      {"acm_status", nullptr},
      {"acm_status_reason", nullptr},
      {"app", app_ref(app)},
      // What people point their DNS at: the app's own name here.
      {"cname", domain.custom ? json::value(call.services.domains.default_hostname(app))
                              : json::value(nullptr)},
      {"created_at", rfc3339(domain.created_at)},
      {"hostname", domain.hostname},
      {"id", domain.id.value},
      {"kind", domain.custom ? "custom" : "heroku"},
      {"sni_endpoint", endpoint_ref(call, app, domain)},
      {"status", "succeeded"},
      {"updated_at", rfc3339(domain.updated_at)},
  };
}

// The certificate that the caller wants it served with; null and missing: the platform's own.
Result<std::optional<apps::SniEndpoint>> endpoint_in(const Call& call, const apps::App& app,
                                                     const json::object& body) {
  const auto identity = TRY(identity_in(body, "sni_endpoint"));
  if (!identity) return std::optional<apps::SniEndpoint>();
  const auto endpoint = call.services.sni_endpoints.find(app.id, *identity);
  if (!endpoint)
    return fail(Kind::invalid, "The app has no SNI endpoint " + text::printable(*identity) + ".");
  return std::optional(*endpoint);
}

}  // namespace

Result<Answer> domain_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto hostname = TRY(required_text(body, "hostname"));
  const auto endpoint = TRY(endpoint_in(call, app, body));
  auto transaction = call.services.database.begin();
  auto domain = TRY(call.services.domains.add(app, hostname));
  if (endpoint) domain = TRY(call.services.sni_endpoints.assign(domain, endpoint));
  transaction.commit();
  call.log(app.id, fmt::format("Add {} domain", domain.hostname));
  call.services.on_app_change(app.id);
  return created(to_json(call, app, domain));
}

Result<Answer> domain_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  const auto hostname = [](const apps::Domain& domain) { return domain.hostname; };
  return call.page<apps::Domain>(
      call.services.domains.all(app),
      {by_text<apps::Domain>("id", [](const auto& domain) { return domain.id.value; }),
       by_text<apps::Domain>("hostname", hostname),
       by_text<apps::Domain>("domain", hostname)},  // what Python's heroku3 calls it
      [&](const apps::Domain& domain) { return to_json(call, app, domain); });
}

Result<Answer> domain_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(call, app, TRY(call.services.domains.find(app, call.param("domain")))));
}

Result<Answer> domain_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  if (!body.contains("sni_endpoint"))
    return fail(Kind::invalid,
                "`sni_endpoint` is required: the name or id of a certificate, or null.");
  const auto endpoint = TRY(endpoint_in(call, app, body));
  const auto domain = TRY(call.services.sni_endpoints.assign(
      TRY(call.services.domains.find(app, call.param("domain"))), endpoint));
  call.log(app.id, endpoint
                       ? fmt::format("Serve {} with {}", domain.hostname, endpoint->name)
                       : fmt::format("Serve {} without a certificate of its own", domain.hostname));
  call.services.on_app_change(app.id);
  return ok(to_json(call, app, domain));
}

Result<Answer> domain_delete(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto domain = TRY(call.services.domains.remove(app, call.param("domain")));
  call.log(app.id, fmt::format("Remove {} domain", domain.hostname));
  call.services.on_app_change(app.id);
  return ok(to_json(call, app, domain));
}

}  // namespace renga::api

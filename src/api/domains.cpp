// Domain: the host names an app answers at.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"

namespace renga::api {
namespace {

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
      {"sni_endpoint", nullptr},
      {"status", "succeeded"},
      {"updated_at", rfc3339(domain.updated_at)},
  };
}

// There are no endpoints to choose from; only choosing none is possible.
Result<void> check_endpoint(const json::object& body) {
  if (TRY(identity_in(body, "sni_endpoint")))
    return fail(Kind::unsupported,
                "This server has no SNI endpoints. Send `sni_endpoint` as null.");
  return {};
}

}  // namespace

Result<Answer> domain_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto hostname = TRY(required_text(body, "hostname"));
  TRY(check_endpoint(body));
  const auto domain = TRY(call.services.domains.add(app, hostname));
  call.log(app.id, fmt::format("Add {} domain", domain.hostname));
  call.services.on_app_change(app.id);
  return created(to_json(call, app, domain));
}

Result<Answer> domain_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return call.page<apps::Domain>(
      call.services.domains.all(app),
      {by_text<apps::Domain>("id", [](const auto& domain) { return domain.id.value; }),
       by_text<apps::Domain>("hostname", [](const auto& domain) { return domain.hostname; })},
      [&](const apps::Domain& domain) { return to_json(call, app, domain); });
}

Result<Answer> domain_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(call, app, TRY(call.services.domains.find(app, call.param("domain")))));
}

Result<Answer> domain_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto domain = TRY(call.services.domains.find(app, call.param("domain")));
  TRY(check_endpoint(body));
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

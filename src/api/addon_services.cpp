// Add-on service and plan: the catalog, and the operator's way to add to it.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "addons/own_services.h"
#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/body.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

Result<void> operators_only(const Call& call) {
  if (call.account().admin) return {};
  return fail(Kind::forbidden, "Only an administrator of this server may change its catalog.");
}

// It is put back at every start, and no provider would be asked.
Result<void> not_the_servers_own(std::string_view service) {
  if (service != addons::scheduler_service) return {};
  return fail(Kind::conflict,
              fmt::format("{} is this server's own service: nobody registers another in its place, "
                          "or takes it away.",
                          service));
}

json::object given(const addons::Secrets& secrets) {
  json::object object;
  if (!secrets.password.empty()) object["password"] = secrets.password;
  if (!secrets.sso_salt.empty()) object["sso_salt"] = secrets.sso_salt;
  if (!secrets.client_secret.empty()) object["client_secret"] = secrets.client_secret;
  return object;
}

}  // namespace

Result<Answer> addon_service_list(Call& call) {
  json::array list;
  for (const auto& service : call.services.marketplace.catalog.services())
    list.push_back(to_json(service));
  return small_list(call, std::move(list), {"name", "id"});
}

Result<Answer> addon_service_info(Call& call) {
  return ok(to_json(TRY(call.services.marketplace.catalog.service(call.param("service")))));
}

// The secrets that were made up are in this answer and in no other.
Result<Answer> addon_service_register(Call& call) {
  TRY(operators_only(call));
  const auto manifest = TRY(addons::Manifest::parse(call.request.body));
  TRY(not_the_servers_own(manifest.id));
  const auto registered = TRY(call.services.marketplace.catalog.put(manifest));
  auto object = to_json(registered.service);
  object["secrets"] = given(registered.made_up);
  return created(std::move(object));
}

Result<Answer> addon_service_manifest(Call& call) {
  TRY(operators_only(call));
  const auto service = TRY(call.services.marketplace.catalog.service(call.param("service")));
  return ok(json::parse(service.manifest.to_json()));
}

Result<Answer> addon_service_delete(Call& call) {
  TRY(operators_only(call));
  auto& catalog = call.services.marketplace.catalog;
  const auto service = TRY(catalog.service(call.param("service")));
  TRY(not_the_servers_own(service.name()));
  return ok(to_json(TRY(catalog.remove(service.name()))));
}

Result<Answer> plan_list(Call& call) {
  auto& catalog = call.services.marketplace.catalog;
  const auto service = TRY(catalog.service(call.param("service")));
  json::array list;
  for (const auto& plan : catalog.plans(service.id)) list.push_back(to_json(plan));
  return small_list(call, std::move(list), {"name", "id"});
}

Result<Answer> plan_info(Call& call) {
  return ok(to_json(TRY(call.services.marketplace.catalog.plan(call.param("plan")))));
}

Result<Answer> plan_info_of_service(Call& call) {
  auto& catalog = call.services.marketplace.catalog;
  const auto service = TRY(catalog.service(call.param("service")));
  for (const auto& plan : catalog.plans(service.id))
    if (plan.id.value == call.param("plan") || plan.name == call.param("plan") ||
        plan.full_name() == call.param("plan"))
      return ok(to_json(plan));
  return fail(Kind::not_found, "Couldn't find that plan.");
}

}  // namespace renga::api

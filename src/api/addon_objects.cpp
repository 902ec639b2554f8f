#include "api/addon_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/body.h"
#include "api/objects.h"

namespace renga::api {
namespace {

constexpr std::chrono::minutes sign_on_page_life{30};

std::string_view word_for(addons::State state) {
  switch (state) {
    case addons::State::provisioning:
      return "provisioning";
    case addons::State::provisioned:
      return "provisioned";
    case addons::State::deprovisioning:
      return "deprovisioning";
    case addons::State::deprovisioned:
      return "deprovisioned";
  }
  return "deprovisioned";
}

bool included(const Call& call, std::string_view what) {
  return call.request.headers.value_or("Accept-Inclusion", "").contains(what) ||
         call.request.headers.value_or("Accept", "").contains("3.sdk");
}

// A page that signs in to the provider's dashboard. It does what config vars may do, and so it is
// only for those who may see these.
json::value web_url(Call& call, const addons::Addon& addon, const Id<apps::App>& context_app) {
  const auto service = call.services.marketplace.catalog.service(addon.service);
  if (service.manifest.sso_url.empty() || call.caller.addon ||
      addon.state != addons::State::provisioned ||
      !accounts::allows(call.caller.authorization, accounts::Access::read_protected))
    return nullptr;
  const auto what =
      fmt::format("{} {} {}", addon.id.value, call.account().id.value, context_app.value);
  return json::value(
      call.url("/sso/" + call.parts.capabilities.issue("addon.sso", what, sign_on_page_life)));
}

}  // namespace

json::object to_json(const addons::Service& service) {
  return {{"cli_plugin_name", text_or_null(service.manifest.cli_plugin_name)},
          {"created_at", rfc3339(service.created_at)},
          {"docs_url", text_or_null(service.manifest.docs_url)},
          {"human_name", service.manifest.human_name},
          {"id", service.id.value},
          {"name", service.name()},
          {"state", service.manifest.state},
          {"supported_generations", json::array{generation_ref()}},
          {"supports_multiple_installations", service.manifest.many_per_app},
          {"supports_sharing", service.manifest.attachable},
          {"updated_at", rfc3339(service.updated_at)}};
}

json::object to_json(const addons::Plan& plan) {
  return {{"addon_service", json::object{{"id", plan.service.value}, {"name", plan.service_name}}},
          {"compliance", nullptr},
          {"created_at", rfc3339(plan.created_at)},
          {"default", plan.is_default},
          {"description", plan.description},
          {"human_name", plan.human_name},
          {"id", plan.id.value},
          {"installable_inside_private_network", false},
          {"installable_outside_private_network", true},
          {"name", plan.full_name()},
          {"price", json::object{{"cents", plan.cents},
                                 {"contract", plan.contract},
                                 {"metered", false},
                                 {"unit", plan.unit}}},
          {"space_default", false},
          {"state", plan.state},
          {"updated_at", rfc3339(plan.updated_at)},
          {"visible", plan.visible}};
}

json::object app_of(Call& call, const addons::Addon& addon) {
  const auto app = call.services.apps.find(addon.app);
  return {{"id", addon.app.value}, {"name", app ? app->name : addon.app_name}};
}

json::object to_json(Call& call, const addons::Addon& addon) {
  auto& marketplace = call.services.marketplace;
  const auto plan = marketplace.catalog.plan(addon.plan);
  auto app = app_of(call, addon);
  auto billing = app;
  billing["type"] = "app";
  json::array vars;
  for (const auto& var : marketplace.addons.config_vars(addon)) vars.emplace_back(var);
  return {{"actions", json::array()},
          {"addon_service", to_json(marketplace.catalog.service(addon.service))},
          {"app", std::move(app)},
          {"billed_price",
           json::object{{"cents", plan.cents}, {"contract", plan.contract}, {"unit", plan.unit}}},
          {"billing_entity", std::move(billing)},
          {"config_vars", std::move(vars)},
          {"created_at", rfc3339(addon.created_at)},
          {"id", addon.id.value},
          {"name", addon.name},
          {"plan", to_json(plan)},
          {"provider_id", addon.provider_id},
          {"provision_message", addon.message},
          {"state", word_for(addon.state)},
          {"updated_at", rfc3339(addon.updated_at)},
          {"web_url", web_url(call, addon, addon.app)}};
}

json::object to_json(Call& call, const addons::Attachment& attachment) {
  auto& marketplace = call.services.marketplace;
  const auto addon = marketplace.addons.find(attachment.addon.value).value();
  const auto app = call.services.apps.find(attachment.app);
  json::object of{{"app", app_of(call, addon)}, {"id", addon.id.value}, {"name", addon.name}};
  if (included(call, "addon:plan")) of["plan"] = to_json(marketplace.catalog.plan(addon.plan));
  // With a secret in it that is the provider's alone.
  const auto input =
      call.caller.addon ? marketplace.log_input.url(addon, attachment.app) : std::string();
  json::object object{
      {"addon", std::move(of)},
      {"app", json::object{{"id", attachment.app.value}, {"name", app ? app->name : ""}}},
      {"created_at", rfc3339(attachment.created_at)},
      {"id", attachment.id.value},
      {"log_input_url", text_or_null(input)},
      {"name", attachment.name},
      {"namespace", attachment.name_space ? json::value(*attachment.name_space) : json::value()},
      {"updated_at", rfc3339(attachment.updated_at)},
      {"web_url", web_url(call, addon, attachment.app)}};
  if (included(call, "config_vars")) {
    json::array vars;
    for (const auto& var : marketplace.addons.config_vars(attachment)) vars.emplace_back(var);
    object["config_vars"] = std::move(vars);
  }
  return object;
}

Result<addons::Addon> addon_for(Call& call, std::string_view identity,
                                apps::Permission permission) {
  auto& marketplace = call.services.marketplace;
  auto addon = TRY(marketplace.addons.find(identity));
  const auto unseen = fail(Kind::not_found, "Couldn't find that add-on.");
  if (call.caller.addon) {
    if (*call.caller.addon != addon.id) return unseen;
    return addon;
  }
  auto seen = call.services.apps.find_for(call.account(), addon.app.value, permission);
  if (seen || call.account().admin) return addon;
  if (seen.error().kind == Kind::forbidden) return std::unexpected(seen.error());
  if (permission == apps::Permission::view)
    for (const auto& attachment : marketplace.addons.attachments_of(addon.id))
      if (call.services.apps.find_for(call.account(), attachment.app.value, permission))
        return addon;
  return unseen;
}

Result<addons::Addon> addon_in(Call& call, apps::Permission permission) {
  return addon_for(call, call.param("addon"), permission);
}

Result<addons::Addon> addon_in_app(Call& call, apps::Permission permission) {
  const auto app = TRY(call.app(permission));
  const auto addon = TRY(call.services.marketplace.addons.find_on(app.id, call.param("addon")));
  // Found by an attachment, it may be another app's, where this caller may do less.
  return addon_for(call, addon.id.value, permission);
}

bool Wanted::of_service(Call& call, const addons::Addon& addon) const {
  if (!service) return true;
  const auto its = call.services.marketplace.catalog.service(addon.service);
  return its.name() == *service || its.id.value == *service;
}

Result<Wanted> wanted_in(Call& call, std::string_view key) {
  const auto body = TRY(call.body());
  Wanted wanted{.app = TRY(identity_in(body, "app")),
                .name = TRY(required_text(body, key)),
                .service = TRY(identity_in(body, "addon_service"))};
  if (const auto at = wanted.name.find("::"); at != std::string::npos) {
    wanted.app = wanted.name.substr(0, at);
    wanted.name.erase(0, at + 2);
  }
  return wanted;
}

Result<Answer> ask_to_confirm(const Error& error, const apps::App& app) {
  if (error.kind != Kind::conflict) return std::unexpected(error);
  auto answer = refusal(423, "confirmation_required", error.message);
  answer.headers.set("X-Confirmation-Required", app.name);
  return answer;
}

}  // namespace renga::api

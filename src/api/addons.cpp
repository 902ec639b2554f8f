// Add-on: what a provider made for an app.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/body.h"
#include "api/objects.h"
#include "api/small_lists.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::array list_of(Call& call, const std::vector<addons::Addon>& addons) {
  json::array list;
  for (const auto& addon : addons) list.push_back(to_json(call, addon));
  return list;
}

// The options of a plan: `--region eu` comes as a string, a switch as true. Providers get text.
Result<std::map<std::string, std::string>> options_in(const json::object& body) {
  std::map<std::string, std::string> options;
  const auto* config = TRY(object_in(body, "config"));
  if (config == nullptr) return options;
  for (const auto& [name, value] : *config) {
    if (value.is_string())
      options[std::string(name)] = std::string(value.get_string());
    else if (value.is_bool() || value.is_number())
      options[std::string(name)] = json::serialize(value);
    else if (!value.is_null())
      return fail(Kind::invalid,
                  fmt::format("The option {} must be a string.", text::printable(name)));
  }
  return options;
}

}  // namespace

Result<Answer> addon_list(Call& call) {
  auto& services = call.services;
  std::vector<addons::Addon> seen;
  for (const auto& addon : services.marketplace.addons.all())
    if (call.account().admin ||
        services.apps.find_for(call.account(), addon.app.value, apps::Permission::view))
      seen.push_back(addon);
  return small_list(call, list_of(call, seen), {"name", "id", "created_at", "updated_at"});
}

Result<Answer> addon_list_of_user(Call& call) {
  const auto& user = call.param("user");
  const auto& self = call.account();
  if (user != "~" && user != self.id.value && !text::equals_ignoring_case(user, self.email))
    return fail(
        Kind::not_found,
        "Couldn't find that user. Only your own add-ons can be asked for: /users/~/addons.");
  return addon_list(call);
}

Result<Answer> addon_list_of_app(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return small_list(call, list_of(call, call.services.marketplace.addons.all_on(app.id)),
                    {"name", "id", "created_at", "updated_at"});
}

Result<Answer> addon_info(Call& call) {
  return ok(to_json(call, TRY(addon_in(call, apps::Permission::view))));
}

Result<Answer> addon_info_of_app(Call& call) {
  return ok(to_json(call, TRY(addon_in_app(call, apps::Permission::view))));
}

Result<Answer> addon_create(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto body = TRY(call.body());
  addons::NewAddon wanted;
  const auto plan = TRY(identity_in(body, "plan"));
  if (!plan || plan->empty())
    return fail(Kind::invalid, "`plan` is required: a service's name, or service:plan.");
  wanted.plan = *plan;
  wanted.name = TRY(text_in(body, "name")).value_or("");
  if (const auto* attachment = TRY(object_in(body, "attachment")))
    wanted.attachment = TRY(text_in(*attachment, "name")).value_or("");
  wanted.options = TRY(options_in(body));
  wanted.confirm = TRY(text_in(body, "confirm")).value_or("");

  const auto addon = call.services.marketplace.addons.create(app, call.account(), wanted);
  if (!addon) return ask_to_confirm(addon.error(), app);
  return created(to_json(call, *addon));
}

Result<Answer> addon_update(Call& call) {
  auto addon = TRY(addon_in_app(call, apps::Permission::operate));
  const auto body = TRY(call.body());
  auto& addons = call.services.marketplace.addons;
  if (const auto name = TRY(text_in(body, "name"))) addon = TRY(addons.rename(addon, *name));
  if (const auto plan = TRY(identity_in(body, "plan"))) {
    // "premium" is the premium of the same service.
    const auto service = call.services.marketplace.catalog.service(addon.service);
    const bool whole = plan->contains(':') || is_uuid(*plan);
    addon = TRY(addons.change_plan(addon, whole ? *plan : service.name() + ":" + *plan));
  }
  return ok(to_json(call, addon));
}

Result<Answer> addon_delete(Call& call) {
  const auto addon = TRY(addon_in_app(call, apps::Permission::operate));
  const auto body = TRY(call.body());
  const auto confirm = TRY(text_in(body, "confirm"));
  const auto app = app_of(call, addon);
  if (confirm && *confirm != app.at("name").as_string())
    return fail(
        Kind::invalid,
        fmt::format("\"{}\" is not {}, the app of {}. Nothing was destroyed.",
                    text::printable(*confirm), app.at("name").as_string().c_str(), addon.name));
  const bool force = TRY(flag_in(body, "force")).value_or(false);
  using Elsewhere = addons::Addons::Elsewhere;
  return ok(
      to_json(call, TRY(call.services.marketplace.addons.destroy(
                        addon, call.account(), force ? Elsewhere::detach : Elsewhere::refuse))));
}

// What a person means by a word, with an app or without. Clients look at `resource`, and then try
// the other way.
Result<Answer> addon_resolve(Call& call) {
  const auto wanted = TRY(wanted_in(call, "addon"));
  std::vector<addons::Addon> found;
  if (wanted.app) {
    const auto app =
        TRY(call.services.apps.find_for(call.account(), *wanted.app, apps::Permission::view));
    found = call.services.marketplace.addons.resolve_on(app.id, wanted.name);
  } else if (auto addon = addon_for(call, wanted.name, apps::Permission::view);
             addon && addon->state != addons::State::deprovisioned) {
    found.push_back(*std::move(addon));
  }
  std::erase_if(found, [&](const addons::Addon& addon) { return !wanted.of_service(call, addon); });
  if (found.empty()) return refusal({Kind::not_found, "Couldn't find that add-on."}, "add_on");
  return ok(list_of(call, found));
}

}  // namespace renga::api

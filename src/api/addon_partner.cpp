// What providers call: their add-on's config, the end of what they said they would do later, and
// tokens for all of that.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "accounts/refresh_tokens.h"
#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/body.h"
#include "base/text.h"

namespace renga::api {
namespace {

// The route with {namespace}, or the one without.
std::string name_space_in(const Call& call) {
  const auto found = call.request.params.find("namespace");
  return found == call.request.params.end() ? std::string() : found->second;
}

json::array to_json(const addons::Addons::Config& config) {
  json::array list;
  for (const auto& [name, value] : config)
    list.push_back(json::object{{"name", name}, {"value", value}});
  return list;
}

// A person's token is renewed with the refresh token alone; a provider's wants its secret as well.
Result<addons::Grants::Tokens> refreshed(const Call& call, const std::string& token,
                                         const std::string& secret) {
  const auto& services = call.services;
  const auto renewed = accounts::RefreshTokens(services.database, services.clock).use(token);
  if (!renewed) return services.marketplace.grants.refresh(token, secret);
  const auto end = renewed->expires_at.value_or(services.clock.now());
  return addons::Grants::Tokens{
      renewed->token, token, std::chrono::floor<std::chrono::seconds>(end - services.clock.now())};
}

}  // namespace

Result<Answer> addon_config_list(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::deploy));
  return ok(to_json(call.services.marketplace.addons.config(addon, name_space_in(call))));
}

Result<Answer> addon_config_update(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::deploy));
  const auto body = TRY(call.body());
  const auto* config = TRY(array_in(body, "config"));
  if (config == nullptr)
    return fail(Kind::invalid, R"(`config` is required: [{"name": "…", "value": "…"}].)");
  std::map<std::string, std::optional<std::string>> changes;
  for (const auto& each : *config) {
    if (!each.is_object())
      return fail(Kind::invalid, R"(Each of `config` must be {"name": "…", "value": "…"}.)");
    const auto name = TRY(required_text(each.get_object(), "name"));
    changes[name] = TRY(text_in(each.get_object(), "value"));
  }
  return ok(to_json(
      TRY(call.services.marketplace.addons.set_config(addon, name_space_in(call), changes))));
}

Result<Answer> addon_action_provision(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::deploy));
  return ok(to_json(call, TRY(call.services.marketplace.addons.provisioned(addon))));
}

Result<Answer> addon_action_deprovision(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::deploy));
  return ok(to_json(call, TRY(call.services.marketplace.addons.deprovisioned(addon))));
}

// RFC 6749, 4.1.3 and 6: a form. JSON with the same members is taken as well. Libraries for OAuth
// renew a person's token here, too.
Result<Answer> provider_token_create(Call& call) {
  auto fields = text::query(call.request.body);
  if (text::trim(call.request.body).starts_with('{')) {
    fields.clear();
    for (const auto& [name, value] : TRY(call.body()))
      if (value.is_string()) fields[std::string(name)] = std::string(value.get_string());
  }
  auto& grants = call.services.marketplace.grants;
  const auto& type = fields["grant_type"];
  if (type != "authorization_code" && type != "refresh_token")
    return fail(Kind::invalid, "`grant_type` must be authorization_code or refresh_token.");
  const auto tokens = TRY(type == "authorization_code"
                              ? grants.exchange(fields["code"], fields["client_secret"])
                              : refreshed(call, fields["refresh_token"], fields["client_secret"]));
  auto answer = ok(json::object{{"access_token", tokens.access_token},
                                {"expires_in", tokens.expires_in.count()},
                                {"refresh_token", tokens.refresh_token},
                                {"token_type", "Bearer"}});
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

}  // namespace renga::api

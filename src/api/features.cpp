// Features: an app's switches, and the account's.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

json::object to_json(const apps::Feature& feature) {
  return {
      {"created_at", rfc3339(feature.created_at)},
      {"description", feature.description},
      {"display_name", feature.name},
      {"doc_url", feature.doc_url},
      {"enabled", feature.enabled},
      {"feedback_email", ""},
      {"id", feature.id},
      {"name", feature.name},
      {"state", feature.state},
      {"updated_at", rfc3339(feature.updated_at)},
  };
}

// The one account feature: the official CLI asks for it to learn that repositories are linked
// through this API, and goes to another host when it is not there.
apps::Feature account_feature(const Call& call) {
  return {fixed_uuid("account-feature/dashboard-repositories-api"),
          "dashboard-repositories-api",
          "Repositories are linked to pipelines through the Platform API. Always on.",
          "",
          "general",
          true,
          call.account().created_at,
          call.account().created_at};
}

Result<apps::Feature> find_account_feature(const Call& call) {
  auto feature = account_feature(call);
  const auto& identity = call.param("feature");
  if (identity != feature.name && identity != feature.id)
    return fail(Kind::not_found, "Couldn't find that account feature.");
  return feature;
}

Result<bool> enabled_in(const json::object& body) {
  const auto enabled = TRY(flag_in(body, "enabled"));
  if (!enabled) return fail(Kind::invalid, "`enabled` is required: true or false.");
  return *enabled;
}

}  // namespace

Result<Answer> app_feature_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  json::array array;
  for (const auto& feature : call.services.features.all(app.id)) array.push_back(to_json(feature));
  return small_list(call, std::move(array), {"name", "id", "updated_at"});
}

Result<Answer> app_feature_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(TRY(call.services.features.find(app.id, call.param("feature")))));
}

Result<Answer> app_feature_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto enabled = TRY(enabled_in(body));
  const auto feature = TRY(call.services.features.set(app.id, call.param("feature"), enabled));
  call.log(app.id, fmt::format("{} {} feature", enabled ? "Enable" : "Disable", feature.name));
  call.services.on_app_change(app.id);
  return ok(to_json(feature));
}

Result<Answer> account_feature_list(Call& call) {
  return small_list(call, json::array{to_json(account_feature(call))},
                    {"name", "id", "updated_at"});
}

Result<Answer> account_feature_info(Call& call) {
  return ok(to_json(TRY(find_account_feature(call))));
}

Result<Answer> account_feature_update(Call& call) {
  const auto feature = TRY(find_account_feature(call));
  if (!TRY(enabled_in(TRY(call.body()))))
    return fail(Kind::unsupported, fmt::format("{} is always on here.", feature.name));
  return ok(to_json(feature));
}

}  // namespace renga::api

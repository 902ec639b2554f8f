// Config vars: a flat map, and the release that every change of it makes.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"

namespace renga::api {
namespace {

json::object to_json(const apps::ConfigVars& vars) {
  json::object object;
  for (const auto& [name, value] : vars) object[name] = value;
  return object;
}

}  // namespace

Result<apps::ConfigChanges> config_changes_in(const json::object& body) {
  apps::ConfigChanges changes;
  for (const auto& [name, value] : body) {
    auto& change = changes[std::string(name)];
    if (value.is_null()) continue;
    if (!value.is_string())
      return fail(Kind::invalid,
                  fmt::format("The value of config var {} must be a string, or null to remove it.",
                              std::string_view(name)));
    change = std::string(value.get_string().data(), value.get_string().size());
  }
  return changes;
}

Result<Answer> config_var_info(Call& call) {
  // Config vars hold secrets: for those who deploy, not for those who look.
  const auto app = TRY(call.app(apps::Permission::deploy));
  return ok(to_json(call.services.releases.config(app.id)));
}

Result<Answer> config_var_info_of_release(Call& call) {
  const auto app = TRY(call.app(apps::Permission::deploy));
  const auto release = TRY(call.services.releases.find(app.id, call.param("release")));
  return ok(to_json(call.services.releases.config(release)));
}

Result<Answer> config_var_update(Call& call) {
  auto& releases = call.services.releases;
  const auto app = TRY(call.app(apps::Permission::deploy));
  const auto changes = TRY(config_changes_in(TRY(call.body())));
  const auto before = releases.newest(app.id);
  const auto vars = TRY(releases.set_config(app.id, call.account().id, changes));
  const auto after = releases.newest(app.id);
  if (after.version != before.version) {
    call.log(app.id, after.description);
    call.log(app.id, fmt::format("Release v{} created", after.version));
  }
  return ok(to_json(vars));
}

}  // namespace renga::api

// Log drain: where an app's log is delivered to. URLs are shown with their secrets masked.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/addon_objects.h"
#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"

namespace renga::api {
namespace {

json::value addon_ref(Call& call, const logs::Drain& drain) {
  if (!drain.addon) return nullptr;
  const auto addon = call.services.marketplace.addons.find(*drain.addon);
  if (!addon) return nullptr;
  return json::object{
      {"app", app_of(call, *addon)}, {"id", addon->id.value}, {"name", addon->name}};
}

}  // namespace

json::object to_json(Call& call, const logs::Drain& drain) {
  const auto app = call.services.apps.find(drain.app);
  return {
      {"addon", addon_ref(call, drain)},
      {"app", app ? json::value(app_ref(*app)) : json::value()},
      {"created_at", rfc3339(drain.created_at)},
      {"id", drain.id.value},
      {"token", drain.token},
      {"updated_at", rfc3339(drain.updated_at)},
      {"url", logs::shown(drain.url)},
  };
}

Result<Answer> log_drain_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto url = TRY(required_text(body, "url"));
  const auto drain = TRY(call.services.drains.add(app.id, url));
  call.log(app.id, fmt::format("Add log drain {}", drain.token));
  return created(to_json(call, drain));
}

Result<Answer> log_drain_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return call.page<logs::Drain>(
      call.services.drains.all(app.id),
      {by_text<logs::Drain>("id", [](const auto& drain) { return drain.id.value; })},
      [&](const logs::Drain& drain) { return to_json(call, drain); });
}

Result<Answer> log_drain_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(call, TRY(call.services.drains.find(app.id, call.param("drain")))));
}

Result<Answer> log_drain_delete(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto drain = TRY(call.services.drains.remove(app.id, call.param("drain")));
  call.log(app.id, fmt::format("Remove log drain {}", drain.token));
  return ok(to_json(call, drain));
}

}  // namespace renga::api

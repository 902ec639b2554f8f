// The log drains of an add-on: its provider's to add, move and remove.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/body.h"
#include "api/objects.h"

namespace renga::api {

Result<Answer> addon_log_drain_list(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::view));
  return call.page<logs::Drain>(
      call.services.marketplace.log_drains.all(addon),
      {by_text<logs::Drain>("id", [](const auto& drain) { return drain.id.value; })},
      [&](const logs::Drain& drain) { return to_json(call, drain); });
}

Result<Answer> addon_log_drain_create(Call& call) {
  const auto body = TRY(call.body());
  const auto addon = TRY(addon_in(call, apps::Permission::operate));
  const auto url = TRY(required_text(body, "url"));
  const auto drain = TRY(call.services.marketplace.log_drains.add(addon, url));
  call.log(addon.app, fmt::format("Add log drain {} (@ref:{})", drain.token, addon.name));
  return created(to_json(call, drain));
}

Result<Answer> addon_log_drain_info(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::view));
  return ok(
      to_json(call, TRY(call.services.marketplace.log_drains.find(addon, call.param("drain")))));
}

Result<Answer> addon_log_drain_update(Call& call) {
  const auto body = TRY(call.body());
  const auto addon = TRY(addon_in(call, apps::Permission::operate));
  const auto url = TRY(required_text(body, "url"));
  return ok(to_json(
      call, TRY(call.services.marketplace.log_drains.move(addon, call.param("drain"), url))));
}

Result<Answer> addon_log_drain_delete(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::operate));
  const auto drain = TRY(call.services.marketplace.log_drains.remove(addon, call.param("drain")));
  call.log(addon.app, fmt::format("Remove log drain {} (@ref:{})", drain.token, addon.name));
  return ok(to_json(call, drain));
}

}  // namespace renga::api

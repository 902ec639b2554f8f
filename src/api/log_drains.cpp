// Log drain: where an app's log is delivered to. URLs are shown with their secrets masked.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"

namespace renga::api {
namespace {

json::object to_json(const apps::App& app, const logs::Drain& drain) {
  return {
      {"addon", nullptr},
      {"app", app_ref(app)},
      {"created_at", rfc3339(drain.created_at)},
      {"id", drain.id.value},
      {"token", drain.token},
      {"updated_at", rfc3339(drain.updated_at)},
      {"url", logs::shown(drain.url)},
  };
}

}  // namespace

Result<Answer> log_drain_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto url = TRY(required_text(body, "url"));
  const auto drain = TRY(call.services.drains.add(app.id, url));
  call.log(app.id, fmt::format("Add log drain {}", drain.token));
  return created(to_json(app, drain));
}

Result<Answer> log_drain_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return call.page<logs::Drain>(
      call.services.drains.all(app.id),
      {by_text<logs::Drain>("id", [](const auto& drain) { return drain.id.value; })},
      [&](const logs::Drain& drain) { return to_json(app, drain); });
}

Result<Answer> log_drain_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(app, TRY(call.services.drains.find(app.id, call.param("drain")))));
}

Result<Answer> log_drain_delete(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto drain = TRY(call.services.drains.remove(app.id, call.param("drain")));
  call.log(app.id, fmt::format("Remove log drain {}", drain.token));
  return ok(to_json(app, drain));
}

}  // namespace renga::api

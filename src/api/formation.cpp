// Formation: how many dynos of each type an app runs, and of which size.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::object to_json(const Call& call, const apps::App& app, const dynos::Process& process) {
  const auto* size = call.services.formation.sizes().find(process.size);
  return {
      {"app", app_ref(app)},
      {"command", process.command},
      {"created_at", rfc3339(process.created_at)},
      {"dyno_size", json::object{{"id", size == nullptr ? "" : size->id}, {"name", process.size}}},
      {"id", process.id.value},
      {"quantity", process.quantity},
      {"size", process.size},
      {"type", process.type},
      {"updated_at", rfc3339(process.updated_at)},
  };
}

json::array to_json(const Call& call, const apps::App& app,
                    const std::vector<dynos::Process>& processes) {
  json::array array;
  for (const auto& process : processes) array.push_back(to_json(call, app, process));
  return array;
}

// {"type": "web", "quantity": 2 | "2" | "+1" | "-1", "size": "standard-2X" | "dyno_size": {"name"}}
Result<dynos::ScaleChange> change_in(const json::object& update, std::string type) {
  if (update.contains("docker_image"))
    return fail(Kind::unsupported,
                "Container images cannot be released on this server: push source with git.");
  dynos::ScaleChange change;
  change.type = std::move(type);
  if (const auto* quantity = update.if_contains("quantity"); quantity && !quantity->is_null()) {
    // Clients send numbers, numbers as text, and "+1".
    // Below zero is a difference only as text.
    if (quantity->is_int64() && quantity->get_int64() < 0)
      return fail(Kind::invalid,
                  "`quantity` must not be below 0; \"-1\", as text, takes one away.");
    if (quantity->is_int64())
      change.quantity = std::to_string(quantity->get_int64());
    else if (quantity->is_string() && !quantity->get_string().empty())
      change.quantity = quantity->get_string().c_str();
    else
      return fail(Kind::invalid, "`quantity` must be a whole number, or +N or -N.");
  }
  auto size = TRY(identity_in(update, "size"));
  if (!size) size = TRY(identity_in(update, "dyno_size"));
  change.size = size.value_or("");
  if (change.quantity.empty() && change.size.empty())
    return fail(
        Kind::invalid,
        fmt::format("Nothing to change for {}: give `quantity`, `size` or both.", change.type));
  return change;
}

Result<std::vector<dynos::Process>> scale(Call& call, const apps::App& app,
                                          const std::vector<dynos::ScaleChange>& changes) {
  auto processes = TRY(call.services.formation.scale(app.id, changes));
  std::vector<std::string> now;
  for (const auto& process : processes)
    now.push_back(fmt::format("{}@{}:{}", process.type, process.quantity, process.size));
  if (!now.empty()) call.log(app.id, "Scaled to " + text::join(now, " "));
  return processes;
}

// Heroku's CLI shows this header, and ours does; people who use neither find it in the log.
Answer with_warning(Call& call, const apps::App& app, json::value body) {
  auto answer = ok(std::move(body));
  if (const auto warning = call.services.formation.overcommitted()) {
    answer.headers.add("X-Heroku-Warning", *warning);
    call.services.logs.append(app.id,
                              {call.services.clock.now(), "heroku", "api", "Warning: " + *warning});
  }
  return answer;
}

}  // namespace

Result<Answer> formation_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return small_list(call, to_json(call, app, call.services.formation.all(app.id)),
                    {"type", "id", "updated_at"});
}

Result<Answer> formation_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(call, app, TRY(call.services.formation.find(app.id, call.param("formation")))));
}

Result<Answer> formation_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto process = TRY(call.services.formation.find(app.id, call.param("formation")));
  const auto processes = TRY(scale(call, app, {TRY(change_in(body, process.type))}));
  return with_warning(call, app, to_json(call, app, processes.front()));
}

Result<Answer> formation_batch_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto* updates = TRY(array_in(body, "updates"));
  if (updates == nullptr)
    return fail(Kind::invalid,
                "`updates` is required: {\"updates\": [{\"type\": \"web\", \"quantity\": 2}]}.");
  std::vector<dynos::ScaleChange> changes;
  for (const auto& update : *updates) {
    if (!update.is_object())
      return fail(Kind::invalid,
                  "Each of `updates` must be an object: {\"type\": \"web\", \"quantity\": 2}.");
    auto type = TRY(required_text(update.get_object(), "type"));
    changes.push_back(TRY(change_in(update.get_object(), std::move(type))));
  }
  const auto processes = TRY(scale(call, app, changes));
  return with_warning(call, app, to_json(call, app, processes));
}

}  // namespace renga::api

// Pipeline: apps that run the same code in one stage after the other; what new apps of a stage
// start with; and to whom it all belongs.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

using pipelines::Access;
using pipelines::Pipeline;

json::object owner_json(const Id<accounts::Account>& owner) {
  return {{"id", owner.value}, {"type", "user"}};
}

json::object to_json(const Pipeline& pipeline) {
  return {
      {"created_at", rfc3339(pipeline.created_at)},
      {"generation", generation_ref()},
      {"id", pipeline.id.value},
      {"name", pipeline.name},
      {"owner", owner_json(pipeline.owner)},
      {"updated_at", rfc3339(pipeline.updated_at)},
  };
}

Result<Pipeline> pipeline_of(const Call& call, Access access) {
  return call.services.pipelines.find_for(call.account(), call.param("pipeline"), access);
}

// {"id", "type": "user"}: an account. Nobody is told which accounts there are by this.
Result<std::optional<accounts::Account>> owner_in(const Call& call, const json::object& body,
                                                  std::string_view key) {
  const auto* owner = TRY(object_in(body, key));
  if (owner == nullptr) return std::nullopt;
  if (TRY(text_in(*owner, "type")).value_or("user") != "user")
    return fail(Kind::unsupported,
                "This server has no teams: a pipeline belongs to an account, of type user.");
  const auto id = TRY(required_text(*owner, "id"));
  if (id == "~" || id == call.account().id.value) return call.account();
  auto account = call.services.accounts.find(id);
  if (!account)
    return fail(Kind::invalid,
                fmt::format("There is no account {} on this server.", text::printable(id)));
  return *std::move(account);
}

Result<pipelines::Stage> stage_of(const Call& call) {
  const auto stage = pipelines::stage_named(call.param("stage"));
  // Apps of the other stages keep config vars of their own.
  if (!stage || (*stage != pipelines::Stage::test && *stage != pipelines::Stage::review))
    return fail(Kind::not_found,
                "Only the stages test and review have config vars of the pipeline. Apps of other "
                "stages have their own.");
  return *stage;
}

Answer vars_json(const apps::ConfigVars& vars) {
  json::object object;
  for (const auto& [name, value] : vars) object[name] = value;
  return ok(std::move(object));
}

}  // namespace

Result<Answer> pipeline_create(Call& call) {
  const auto body = TRY(call.body());
  const auto name = TRY(required_text(body, "name"));
  const auto owner = TRY(owner_in(call, body, "owner")).value_or(call.account());
  if (owner.id != call.account().id && !call.account().admin)
    return fail(Kind::forbidden,
                "Only an administrator may create a pipeline for another account.");
  return created(to_json(TRY(call.services.pipelines.create(owner, name))));
}

Result<Answer> pipeline_list(Call& call) {
  auto found = call.services.pipelines.visible_to(call.account());
  // ?eq[name]=…: how the official CLI finds one by its name.
  const auto query = text::query(call.request.query);
  if (const auto name = query.find("eq[name]"); name != query.end())
    std::erase_if(found, [&](const auto& one) { return one.name != name->second; });
  return call.page<Pipeline>(
      found,
      {by_text<Pipeline>("name", [](const auto& one) { return one.name; }),
       by_text<Pipeline>("id", [](const auto& one) { return one.id.value; })},
      [](const Pipeline& one) { return to_json(one); });
}

Result<Answer> pipeline_info(Call& call) {
  return ok(to_json(TRY(pipeline_of(call, Access::view))));
}

Result<Answer> pipeline_update(Call& call) {
  const auto body = TRY(call.body());
  const auto pipeline = TRY(pipeline_of(call, Access::change));
  const auto name = TRY(text_in(body, "name"));
  return ok(to_json(name ? TRY(call.services.pipelines.rename(pipeline.id, *name)) : pipeline));
}

Result<Answer> pipeline_delete(Call& call) {
  const auto pipeline = TRY(pipeline_of(call, Access::change));
  TRY(call.services.pipelines.destroy(pipeline.id));
  return ok(to_json(pipeline));
}

Result<Answer> pipeline_transfer_create(Call& call) {
  const auto body = TRY(call.body());
  const auto identity = TRY(identity_in(body, "pipeline"));
  if (!identity) return fail(Kind::invalid, "`pipeline` is required: {\"id\": \"…\"}.");
  const auto pipeline =
      TRY(call.services.pipelines.find_for(call.account(), *identity, Access::change));
  const auto owner = TRY(owner_in(call, body, "new_owner"));
  if (!owner)
    return fail(Kind::invalid, "`new_owner` is required: {\"id\": \"…\", \"type\": \"user\"}.");
  const auto transferred = TRY(call.services.pipelines.transfer(pipeline.id, *owner));
  for (const auto& coupling : call.services.pipelines.couplings(pipeline.id)) {
    call.log(coupling.app, fmt::format("Transfer to {}", owner->email));
    call.services.on_app_change(coupling.app);
  }
  return created(json::object{{"new_owner", owner_json(transferred.owner)},
                              {"pipeline", json::object{{"id", pipeline.id.value}}},
                              {"previous_owner", owner_json(pipeline.owner)}});
}

// What new apps of the pipeline are built on: as the app that is furthest down the way.
Result<Answer> pipeline_stack_info(Call& call) {
  const auto pipeline = TRY(pipeline_of(call, Access::view));
  const auto couplings = call.services.pipelines.couplings(pipeline.id);
  json::value stack = nullptr;
  if (!couplings.empty()) {
    const auto app = call.services.apps.find(couplings.back().app);
    if (app) stack = stack_ref(app->build_stack);
  }
  return ok(json::object{{"stack", std::move(stack)}});
}

// Config vars hold secrets: for those who may change the pipeline.
Result<Answer> pipeline_config_var_info(Call& call) {
  const auto pipeline = TRY(pipeline_of(call, Access::change));
  return vars_json(call.services.pipelines.config(pipeline.id, TRY(stage_of(call))));
}

Result<Answer> pipeline_config_var_update(Call& call) {
  const auto pipeline = TRY(pipeline_of(call, Access::change));
  const auto stage = TRY(stage_of(call));
  const auto changes = TRY(config_changes_in(TRY(call.body())));
  return vars_json(TRY(call.services.pipelines.set_config(pipeline.id, stage, changes)));
}

}  // namespace renga::api

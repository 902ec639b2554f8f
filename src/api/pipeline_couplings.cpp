// Pipeline coupling: an app in a stage of a pipeline.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

using pipelines::Access;
using pipelines::Coupling;

json::object to_json(Call& call, const Coupling& coupling) {
  const auto app = call.services.apps.find(coupling.app);
  const auto pipeline = call.services.pipelines.find(coupling.pipeline);
  return {
      {"app", app ? app_ref(*app) : json::object{{"id", coupling.app.value}}},
      {"created_at", rfc3339(coupling.created_at)},
      {"id", coupling.id.value},
      {"pipeline", json::object{{"id", coupling.pipeline.value},
                                {"name", pipeline ? pipeline->name : std::string()}}},
      {"stage", name_of(coupling.stage)},
      {"updated_at", rfc3339(coupling.updated_at)},
  };
}

Answer list_of(Call& call, const std::vector<Coupling>& found) {
  return call.page<Coupling>(
      found, {by_text<Coupling>("id", [](const auto& one) { return one.id.value; })},
      [&](const Coupling& one) { return to_json(call, one); });
}

Result<pipelines::Stage> stage_in(const json::object& body) {
  const auto name = TRY(required_text(body, "stage"));
  const auto stage = pipelines::stage_named(name);
  if (!stage)
    return fail(Kind::invalid,
                fmt::format("There is no stage {}. Stages: test, review, development, staging, "
                            "production.",
                            text::printable(name)));
  return *stage;
}

// The coupling of {coupling}, of a pipeline that the caller may look at or change.
Result<Coupling> coupling_of(Call& call, Access access) {
  const auto coupling =
      TRY(call.services.pipelines.coupling(Id<Coupling>{text::lower(call.param("coupling"))}));
  const auto pipeline =
      call.services.pipelines.find_for(call.account(), coupling.pipeline.value, access);
  if (!pipeline && pipeline.error().kind == Kind::not_found)
    return fail(Kind::not_found, "Couldn't find that pipeline coupling.");
  TRY(pipeline);
  return coupling;
}

}  // namespace

Result<Answer> pipeline_coupling_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto app_identity = TRY(identity_in(body, "app"));
  const auto pipeline_identity = TRY(identity_in(body, "pipeline"));
  if (!app_identity || !pipeline_identity)
    return fail(Kind::invalid, "`app`, `pipeline` and `stage` are required.");
  const auto stage = TRY(stage_in(body));
  const auto app =
      TRY(services.apps.find_for(call.account(), *app_identity, apps::Permission::manage));
  const auto pipeline =
      TRY(services.pipelines.find_for(call.account(), *pipeline_identity, Access::change));
  const auto coupling = TRY(services.pipelines.couple(pipeline, app, stage));
  call.log(app.id, fmt::format("Add to the pipeline {} as {}", pipeline.name, name_of(stage)));
  return created(to_json(call, coupling));
}

Result<Answer> pipeline_coupling_list(Call& call) {
  return list_of(call, call.services.pipelines.couplings_visible_to(call.account()));
}

Result<Answer> pipeline_coupling_list_of_user(Call& call) {
  const auto& user = call.param("user");
  const auto& self = call.account();
  if (user != "~" && user != self.id.value && !text::equals_ignoring_case(user, self.email))
    return fail(Kind::not_found,
                "Couldn't find that user. Only your own couplings can be asked "
                "for: /users/~/pipeline-couplings.");
  return pipeline_coupling_list(call);
}

Result<Answer> pipeline_coupling_list_of_pipeline(Call& call) {
  const auto pipeline =
      TRY(call.services.pipelines.find_for(call.account(), call.param("pipeline"), Access::view));
  return list_of(call, call.services.pipelines.couplings(pipeline.id));
}

Result<Answer> pipeline_coupling_info(Call& call) {
  return ok(to_json(call, TRY(coupling_of(call, Access::view))));
}

Result<Answer> pipeline_coupling_info_of_app(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  const auto coupling = call.services.pipelines.coupling_of(app.id);
  if (!coupling) return fail(Kind::not_found, fmt::format("{} is in no pipeline.", app.name));
  return ok(to_json(call, *coupling));
}

Result<Answer> pipeline_coupling_update(Call& call) {
  const auto body = TRY(call.body());
  const auto coupling = TRY(coupling_of(call, Access::change));
  const auto moved = TRY(call.services.pipelines.move(coupling.id, TRY(stage_in(body))));
  call.log(moved.app, fmt::format("Move to {} in its pipeline", name_of(moved.stage)));
  return ok(to_json(call, moved));
}

Result<Answer> pipeline_coupling_delete(Call& call) {
  const auto coupling = TRY(coupling_of(call, Access::change));
  auto answer = ok(to_json(call, coupling));
  TRY(call.services.pipelines.decouple(coupling.id));
  call.log(coupling.app, "Remove from its pipeline");
  return answer;
}

}  // namespace renga::api

// Pipeline promotion: the slug of one app released on others; and what the apps of a pipeline run.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

using pipelines::Access;

json::object reference(std::string_view id) { return {{"id", id}}; }

json::object to_json(const pipelines::Promotion& promotion) {
  return {
      {"created_at", rfc3339(promotion.created_at)},
      {"id", promotion.id.value},
      {"pipeline", reference(promotion.pipeline.value)},
      {"source", json::object{{"app", reference(promotion.source.value)},
                              {"release", reference(promotion.source_release.value)}}},
      {"status", promotion.completed ? "completed" : "pending"},
      {"updated_at", rfc3339(promotion.updated_at)},
  };
}

std::string_view word_for(pipelines::TargetStatus status) {
  switch (status) {
    case pipelines::TargetStatus::pending:
      return "pending";
    case pipelines::TargetStatus::succeeded:
      return "succeeded";
    case pipelines::TargetStatus::failed:
      return "failed";
  }
  return "failed";
}

json::object to_json(const pipelines::PromotionTarget& target) {
  return {
      {"app", reference(target.app.value)},
      {"error_message", text_or_null(target.error_message)},
      {"id", target.id.value},
      {"pipeline_promotion", reference(target.promotion.value)},
      {"release",
       target.release ? json::value(reference(target.release->value)) : json::value(nullptr)},
      {"status", word_for(target.status)},
  };
}

// An app as {"app": {"id": …}} names it.
Result<std::string> app_in(const json::object& object, std::string_view whose) {
  const auto app = TRY(identity_in(object, "app"));
  if (!app)
    return fail(Kind::invalid,
                fmt::format("Each {} needs an `app`: {{\"app\": {{\"id\": \"…\"}}}}.", whose));
  return *app;
}

// The apps of {pipeline} that the caller sees, in the order of their stages.
Result<std::vector<apps::App>> apps_of_pipeline(Call& call) {
  const auto& services = call.services;
  const auto pipeline =
      TRY(services.pipelines.find_for(call.account(), call.param("pipeline"), Access::view));
  std::vector<apps::App> found;
  for (const auto& coupling : services.pipelines.couplings(pipeline.id))
    if (auto app =
            services.apps.find_for(call.account(), coupling.app.value, apps::Permission::view))
      found.push_back(*std::move(app));
  return found;
}

}  // namespace

Result<Answer> pipeline_promotion_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto pipeline_identity = TRY(identity_in(body, "pipeline"));
  const auto* source = TRY(object_in(body, "source"));
  const auto* targets = TRY(array_in(body, "targets"));
  if (!pipeline_identity || source == nullptr || targets == nullptr)
    return fail(Kind::invalid, "`pipeline`, `source` and `targets` are required.");

  pipelines::NewPromotion wanted;
  wanted.source = TRY(app_in(*source, "source"));
  wanted.release = TRY(identity_in(*source, "release")).value_or("");
  for (const auto& target : *targets) {
    if (!target.is_object())
      return fail(Kind::invalid,
                  "Each of `targets` must be an object: {\"app\": {\"id\": \"…\"}}.");
    wanted.targets.push_back(TRY(app_in(target.get_object(), "target")));
  }
  const auto pipeline =
      TRY(services.pipelines.find_for(call.account(), *pipeline_identity, Access::view));
  const auto promotion = TRY(services.promotions.promote(call.account(), pipeline, wanted));

  for (const auto& target : services.promotions.targets(promotion.id))
    if (target.release)
      if (const auto release = services.releases.find(*target.release)) {
        call.log(target.app, release->description);
        call.log(target.app, fmt::format("Release v{} created", release->version));
      }
  return created(to_json(promotion));
}

Result<Answer> pipeline_promotion_info(Call& call) {
  return ok(
      to_json(TRY(call.services.promotions.find_for(call.account(), call.param("promotion")))));
}

Result<Answer> pipeline_promotion_target_list(Call& call) {
  using pipelines::PromotionTarget;
  const auto promotion =
      TRY(call.services.promotions.find_for(call.account(), call.param("promotion")));
  return call.page<PromotionTarget>(
      call.services.promotions.targets(promotion.id),
      {by_text<PromotionTarget>("id", [](const auto& one) { return one.id.value; })},
      [](const PromotionTarget& one) { return to_json(one); });
}

Result<Answer> pipeline_release_list(Call& call) {
  json::array latest;
  for (const auto& app : TRY(apps_of_pipeline(call)))
    latest.push_back(to_json(call, app, call.services.releases.newest(app.id)));
  return small_list(call, std::move(latest), {"id", "created_at"});
}

// The release that brought the slug which the newest one runs.
Result<Answer> pipeline_deployment_list(Call& call) {
  json::array latest;
  for (const auto& app : TRY(apps_of_pipeline(call))) {
    std::optional<releases::Release> deployment;
    for (const auto& release : call.services.releases.all(app.id)) {
      if (!release.slug || (deployment && release.slug != deployment->slug)) break;
      deployment = release;
    }
    if (deployment) latest.push_back(to_json(call, app, *deployment));
  }
  return small_list(call, std::move(latest), {"id", "created_at"});
}

Result<Answer> pipeline_build_list(Call& call) {
  json::array latest;
  for (const auto& app : TRY(apps_of_pipeline(call))) {
    const auto all = call.services.builds.all(app.id);
    const auto newest = std::ranges::max_element(
        all, {}, [](const builds::Build& build) { return build.created_at; });
    if (newest != all.end()) latest.push_back(to_json(call, *newest));
  }
  return small_list(call, std::move(latest), {"id", "created_at"});
}

}  // namespace renga::api

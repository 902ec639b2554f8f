// Release: the app's history, its rollbacks, and slugs released by hand.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <limits>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"

namespace renga::api {
namespace {

std::string_view word_for(releases::Status status) {
  switch (status) {
    case releases::Status::pending:
      return "pending";
    case releases::Status::succeeded:
      return "succeeded";
    case releases::Status::failed:
      return "failed";
    case releases::Status::expired:
      return "expired";
  }
  return "failed";
}

// A release of a slug that was made elsewhere: uploaded, or built for another app of the caller's.
Result<releases::Release> release_slug(Call& call, const apps::App& app, const std::string& id,
                                       const std::optional<std::string>& description) {
  const auto& services = call.services;
  const auto slug = services.slugs.find(Id<releases::Slug>{id});
  const auto origin =
      slug ? services.apps.find_for(call.account(), slug->app.value, apps::Permission::view)
           : Result<apps::App>(fail(Kind::not_found, ""));
  if (!slug || !origin)
    return fail(Kind::invalid,
                "There is no such slug. Create one with POST /apps/:app/slugs first.");
  if (!services.slugs.available(*slug))
    return fail(
        Kind::invalid,
        "That slug has no archive yet. PUT it to the slug's blob.url first, then release it.");

  releases::NewRelease wanted;
  wanted.description =
      description.value_or(slug->commit.empty() ? "Deploy " + slug->id.value.substr(0, 8)
                                                : "Deploy " + slug->commit.substr(0, 8));
  wanted.user = call.account().id;
  wanted.slug = slug->id;
  wanted.deploy = true;
  services.apps.set_stack(app.id, slug->stack);
  services.apps.set_built(app.id, slug->buildpack_provided_description, slug->size);
  return services.releases.append(app.id, wanted);
}

}  // namespace

json::object to_json(Call& call, const apps::App& app, const releases::Release& release) {
  json::array artifacts;
  json::value slug = nullptr;
  if (release.slug) {
    slug = json::object{{"id", release.slug->value}};
    artifacts.push_back(json::object{{"id", release.slug->value}, {"type", "slug"}});
  }
  json::array plans;
  for (const auto& plan : release.addon_plans) plans.emplace_back(plan);
  return {
      {"addon_plan_names", std::move(plans)},
      {"app", app_ref(app)},
      {"artifacts", std::move(artifacts)},
      {"created_at", rfc3339(release.created_at)},
      {"current", release.current},
      {"description", release.description},
      {"eligible_for_rollback", call.services.releases.eligible_for_rollback(release)},
      {"id", release.id.value},
      {"output_stream_url", release.output_stream
                                ? json::value(call.url("/streams/" + *release.output_stream))
                                : json::value(nullptr)},
      {"slug", std::move(slug)},
      {"status", word_for(release.status)},
      {"updated_at", rfc3339(release.updated_at)},
      {"user", call.user(release.user)},
      {"version", release.version},
  };
}

Result<Answer> release_create(Call& call) {
  auto& releases = call.services.releases;
  const auto body = TRY(call.body());
  const auto rollback = TRY(identity_in(body, "release"));
  const auto slug = TRY(identity_in(body, "slug"));
  const auto description = TRY(text_in(body, "description"));
  if (rollback.has_value() == slug.has_value())
    return fail(Kind::invalid,
                "Give either `release`, to roll back to it, or `slug`, to release it.");

  const auto app = TRY(call.app(apps::Permission::deploy));
  const auto release = rollback ? TRY(releases.rollback(app.id, call.account().id, *rollback))
                                : TRY(release_slug(call, app, *slug, description));
  call.log(app.id, release.description);
  call.log(app.id, fmt::format("Release v{} created", release.version));
  return created(to_json(call, app, TRY(releases.find(release.id))));
}

Result<Answer> release_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  // All of them: a page may start anywhere. Rows are small, and only the page becomes JSON.
  const auto found = call.services.releases.all(app.id, std::numeric_limits<int>::max());
  return call.page<releases::Release>(
      found,
      {by_number<releases::Release>("version", [](const auto& release) { return release.version; }),
       by_text<releases::Release>("id", [](const auto& release) { return release.id.value; })},
      [&](const releases::Release& release) { return to_json(call, app, release); });
}

Result<Answer> release_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(call, app, TRY(call.services.releases.find(app.id, call.param("release")))));
}

}  // namespace renga::api

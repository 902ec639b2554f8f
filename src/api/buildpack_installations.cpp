// Buildpack installation: which buildpacks an app is built with.
#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

json::array to_json(const std::vector<apps::BuildpackInstallation>& installations) {
  json::array array;
  for (const auto& installation : installations)
    array.push_back(json::object{{"ordinal", installation.ordinal},
                                 {"buildpack", buildpack_json(installation)}});
  return array;
}

}  // namespace

Result<Answer> buildpack_installation_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return small_list(call, to_json(call.services.buildpack_installations.all(app.id)), {"ordinal"});
}

Result<Answer> buildpack_installation_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::deploy));
  const auto* updates = TRY(array_in(body, "updates"));
  if (updates == nullptr)
    return fail(Kind::invalid,
                "`updates` is required: {\"updates\": [{\"buildpack\": \"heroku/python\"}]}.");
  std::vector<std::string> urls;
  for (const auto& update : *updates) {
    if (!update.is_object())
      return fail(Kind::invalid,
                  "Each of `updates` must be an object: {\"buildpack\": \"heroku/python\"}.");
    urls.push_back(
        TRY(call.services.builds.buildpack(TRY(required_text(update.get_object(), "buildpack")))));
  }
  return ok(to_json(TRY(call.services.buildpack_installations.replace(app.id, std::move(urls)))));
}

}  // namespace renga::api

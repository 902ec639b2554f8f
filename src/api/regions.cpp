// Region: this machine, and the names that clients have for it.
#include "apps/regions.h"

#include <boost/json.hpp>

#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

json::object region(std::string_view name) {
  const auto* what =
      name == "local" ? "This machine" : "This machine, as Heroku's clients ask for it";
  auto object = region_ref(name);
  object["country"] = "Here";
  object["created_at"] = platform_time();
  object["description"] = what;
  object["locale"] = "This machine";
  object["private_capable"] = false;
  object["provider"] = {{"name", "renga"}, {"region", "local"}};
  object["updated_at"] = platform_time();
  return object;
}

}  // namespace

Result<Answer> region_list(Call& call) {
  json::array all;
  for (const auto name : apps::Regions::names) all.push_back(region(name));
  return small_list(call, std::move(all), {"name", "id"});
}

Result<Answer> region_info(Call& call) {
  const auto name = region_named(call.param("region"));
  if (!name) return fail(Kind::not_found, "Couldn't find that region. " + name.error().message);
  return ok(region(*name));
}

}  // namespace renga::api

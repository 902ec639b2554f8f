// Region: one, and it is this machine.
#include <boost/json.hpp>

#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

json::object region() {
  auto object = region_ref();
  object["country"] = "Here";
  object["created_at"] = platform_time();
  object["description"] = "This machine";
  object["locale"] = "This machine";
  object["private_capable"] = false;
  object["provider"] = {{"name", "renga"}, {"region", "local"}};
  object["updated_at"] = platform_time();
  return object;
}

}  // namespace

Result<Answer> region_list(Call& call) {
  return small_list(call, json::array{region()}, {"name", "id"});
}

Result<Answer> region_info(Call& call) {
  const auto& identity = call.param("region");
  if (identity != "local" && identity != std::string_view(region_ref().at("id").as_string()))
    return fail(Kind::not_found, "Couldn't find that region. There is one here: local.");
  return ok(region());
}

}  // namespace renga::api

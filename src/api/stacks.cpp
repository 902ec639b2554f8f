// Stack: the file system that apps are built and run on; and the one generation of the platform.
#include <boost/json.hpp>

#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

json::object to_json(const apps::Apps& apps, const std::string& name) {
  auto object = stack_ref(name);
  object["created_at"] = platform_time();
  object["default"] = name == apps.stacks().front();
  object["state"] = "public";
  object["updated_at"] = platform_time();
  return object;
}

json::object generation() {
  auto object = generation_ref();
  object["created_at"] = platform_time();
  object["updated_at"] = platform_time();
  return object;
}

}  // namespace

Result<Answer> stack_list(Call& call) {
  json::array array;
  for (const auto& name : call.services.apps.stacks())
    array.push_back(to_json(call.services.apps, name));
  return small_list(call, std::move(array), {"name", "id"});
}

Result<Answer> stack_list_of_app(Call& call) {
  TRY(call.app(apps::Permission::view));
  return stack_list(call);
}

Result<Answer> stack_info(Call& call) {
  const auto name = stack_named(call.services.apps, call.param("stack"));
  if (!name) return fail(Kind::not_found, name.error().message);
  return ok(to_json(call.services.apps, *name));
}

Result<Answer> generation_list(Call& call) {
  return small_list(call, json::array{generation()}, {"name", "id"});
}

Result<Answer> generation_info(Call& call) {
  const auto& identity = call.param("generation");
  const auto one = generation();
  if (identity != "cedar" && identity != std::string_view(one.at("id").as_string()))
    return fail(Kind::not_found, "Couldn't find that generation. There is one here: cedar.");
  return ok(one);
}

}  // namespace renga::api

// Dyno size: what a dyno may use.
#include <sys/utsname.h>

#include <boost/json.hpp>

#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"
#include "base/fault.h"

namespace renga::api {
namespace {

json::object to_json(const dynos::Size& size) {
  utsname machine{};
  if (::uname(&machine) != 0) fault("asking for the machine's architecture");
  return {
      {"architecture", std::string_view(machine.machine)},
      {"compute", size.compute},
      {"cost", nullptr},
      {"dedicated", size.dedicated},
      {"generation", generation_ref()},
      {"id", size.id},
      {"memory", size.memory_gb},
      {"name", size.name},
      {"precise_dyno_units", static_cast<double>(size.compute)},
      {"private_space_only", false},
  };
}

}  // namespace

Result<Answer> dyno_size_list(Call& call) {
  json::array array;
  for (const auto& size : call.services.formation.sizes().all()) array.push_back(to_json(size));
  return small_list(call, std::move(array), {"name", "id"});
}

Result<Answer> dyno_size_list_of_app(Call& call) {
  TRY(call.app(apps::Permission::view));
  return dyno_size_list(call);
}

Result<Answer> dyno_size_info(Call& call) {
  const auto* size = call.services.formation.sizes().find(call.param("size"));
  if (size == nullptr) return fail(Kind::not_found, "Couldn't find that dyno size.");
  return ok(to_json(*size));
}

}  // namespace renga::api

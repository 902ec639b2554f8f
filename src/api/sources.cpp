// Source: a place to PUT a tarball, for a build to GET. Both addresses carry their own permission.
#include <boost/json.hpp>

#include "api/handlers.h"
#include "api/objects.h"
#include "base/id.h"

namespace renga::api {
namespace {

constexpr std::chrono::hours lifetime{1};

json::object to_json(const Call& call, const std::string& id) {
  const auto address = [&](const char* purpose) {
    return call.url("/uploads/sources/" + call.parts.capabilities.issue(purpose, id, lifetime));
  };
  return {{"source_blob",
           json::object{{"get_url", address("source.get")}, {"put_url", address("source.put")}}}};
}

Result<std::string> source_of(const Call& call, std::string_view purpose) {
  const auto id = call.parts.capabilities.open(purpose, call.param("capability"));
  if (!id)
    return fail(Kind::not_found,
                "This address has expired, or is for the other direction: PUT to put_url, GET from "
                "get_url. "
                "Create another source.");
  return *id;
}

}  // namespace

Result<Answer> source_create(Call& call) { return created(to_json(call, new_uuid())); }

Result<Answer> source_create_of_app(Call& call) {
  TRY(call.app(apps::Permission::deploy));
  return source_create(call);
}

Result<Answer> source_upload(Call& call) {
  const auto id = TRY(source_of(call, "source.put"));
  TRY(call.parts.uploads.receive(id, [&] { return call.request.stream->read(); }));
  return ok(json::object());
}

Result<Answer> source_download(Call& call) {
  const auto id = TRY(source_of(call, "source.get"));
  return send_file(TRY(call.parts.uploads.find(id)), "application/gzip");
}

}  // namespace renga::api

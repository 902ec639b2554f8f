// Build: a tarball on its way to a slug and a release. Pushes with git are builds too, and listed
// here.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/id.h"
#include "base/text.h"

namespace renga::api {
namespace {

std::string_view word_for(builds::BuildStatus status) {
  switch (status) {
    case builds::BuildStatus::pending:
      return "pending";
    case builds::BuildStatus::succeeded:
      return "succeeded";
    case builds::BuildStatus::failed:
      return "failed";
  }
  return "failed";
}

template <class T>
json::value reference(const std::optional<Id<T>>& id) {
  return id ? json::value(json::object{{"id", id->value}}) : json::value(nullptr);
}

// The upload that an address of ours stands for, on whatever host name it was reached.
std::optional<std::string> own_source(const Call& call, std::string_view url) {
  constexpr std::string_view path = "/uploads/sources/";
  const auto at = url.find(path);
  if (at == url.npos) return std::nullopt;
  return call.parts.capabilities.open("source.get", url.substr(at + path.size()));
}

Result<std::vector<std::string>> buildpacks_in(const Call& call, const json::object& body) {
  std::vector<std::string> urls;
  const auto* given = TRY(array_in(body, "buildpacks"));
  if (given == nullptr) return urls;
  for (const auto& item : *given) {
    if (!item.is_object())
      return fail(Kind::invalid,
                  "Each of `buildpacks` must be an object: {\"url\": \"heroku/python\"}.");
    const auto url = TRY(text_in(item.get_object(), "url"));
    urls.push_back(TRY(call.services.builds.buildpack(
        url ? *url : TRY(required_text(item.get_object(), "name")))));
  }
  return urls;
}

}  // namespace

json::object to_json(Call& call, const builds::Build& build) {
  json::array buildpacks;
  for (const auto& url : build.buildpacks)
    buildpacks.push_back(buildpack_json(apps::BuildpackInstallation{0, url}));
  return {
      {"app", json::object{{"id", build.app.value}}},
      {"buildpacks", std::move(buildpacks)},
      {"created_at", rfc3339(build.created_at)},
      {"id", build.id.value},
      {"output_stream_url", call.url("/streams/" + build.output_stream)},
      {"release", reference(build.release)},
      {"slug", reference(build.slug)},
      {"source_blob",
       json::object{{"checksum", text_or_null(build.source_checksum)},
                    {"url", build.source_url},
                    {"version", text_or_null(build.source_version)},
                    {"version_description", text_or_null(build.version_description)}}},
      {"stack", build.stack},
      {"status", word_for(build.status)},
      {"updated_at", rfc3339(build.updated_at)},
      {"user", call.user(build.user)},
  };
}

Result<Answer> build_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::deploy));
  const auto* source = TRY(object_in(body, "source_blob"));
  if (source == nullptr)
    return fail(Kind::invalid,
                "`source_blob` is required: {\"source_blob\": {\"url\": \"https://…\"}}.");

  builds::NewBuild wanted;
  wanted.source_url = TRY(required_text(*source, "url"));
  wanted.version = TRY(text_in(*source, "version")).value_or("");
  wanted.version_description = TRY(text_in(*source, "version_description")).value_or("");
  wanted.checksum = TRY(text_in(*source, "checksum")).value_or("");
  wanted.buildpacks = TRY(buildpacks_in(call, body));

  const auto own = own_source(call, wanted.source_url);
  const auto upload = own.value_or(new_uuid());
  wanted.source_archive = own ? TRY(call.parts.uploads.find(upload))
                              : TRY(call.parts.uploads.fetch(upload, wanted.source_url));
  const auto build = services.builds.start(app, call.account(), wanted);
  if (!own) call.parts.uploads.remove(upload);
  if (!build) return std::unexpected(build.error());
  return created(to_json(call, *build));
}

Result<Answer> build_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return call.page<builds::Build>(
      call.services.builds.all(app.id),
      {by_time<builds::Build>("created_at", [](const auto& build) { return build.created_at; }),
       by_text<builds::Build>("id", [](const auto& build) { return build.id.value; }),
       by_time<builds::Build>("updated_at", [](const auto& build) { return build.updated_at; })},
      [&](const builds::Build& build) { return to_json(call, build); });
}

Result<Answer> build_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(call, TRY(call.services.builds.find(app.id, call.param("build")))));
}

Result<Answer> build_cancel(Call& call) {
  const auto app = TRY(call.app(apps::Permission::deploy));
  return ok(to_json(call, TRY(call.services.builds.cancel(app.id, call.param("build")))));
}

Result<Answer> build_cache_delete(Call& call) {
  const auto app = TRY(call.app(apps::Permission::deploy));
  call.services.builds.clear_cache(app.id);
  return accepted();
}

}  // namespace renga::api

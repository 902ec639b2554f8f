// Slug: the built app. Made by builds, or by hand: create one, PUT its archive to blob.url, release
// it.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/id.h"
#include "releases/upload_checksums.h"

namespace renga::api {
namespace {

constexpr std::chrono::hours blob_lifetime{1};

enum class Blob { put, get };

releases::UploadChecksums upload_checksums(const Call& call) {
  return releases::UploadChecksums(call.services.database);
}

json::object to_json(Call& call, const releases::Slug& slug, Blob blob) {
  json::object types;
  for (const auto& [type, command] : slug.process_types) types[type] = command;
  // Before the upload nobody has seen whether it is true.
  auto checksum = slug.checksum;
  if (!checksum.empty()) checksum = upload_checksums(call).of(slug.id).value_or(checksum);
  const auto* purpose = blob == Blob::put ? "slug.put" : "slug.get";
  return {
      {"blob", json::object{{"method", blob == Blob::put ? "PUT" : "GET"},
                            {"url", call.url("/uploads/slugs/" +
                                             call.parts.capabilities.issue(purpose, slug.id.value,
                                                                           blob_lifetime))}}},
      {"buildpack_provided_description", text_or_null(slug.buildpack_provided_description)},
      {"checksum", text_or_null(checksum)},
      {"commit", text_or_null(slug.commit)},
      {"commit_description", text_or_null(slug.commit_description)},
      {"created_at", rfc3339(slug.created_at)},
      {"id", slug.id.value},
      {"process_types", std::move(types)},
      {"size", slug.size > 0 ? json::value(slug.size) : json::value(nullptr)},
      {"stack", stack_ref(slug.stack)},
      {"updated_at", rfc3339(slug.updated_at)},
  };
}

Result<releases::ProcessTypes> process_types_in(const json::object& body) {
  const auto* given = TRY(object_in(body, "process_types"));
  if (given == nullptr)
    return fail(Kind::invalid, "`process_types` is required: {\"web\": \"./server -p $PORT\"}.");
  releases::ProcessTypes types;
  for (const auto& [type, command] : *given) {
    if (!command.is_string())
      return fail(Kind::invalid, fmt::format("The command of process type {} must be a string.",
                                             std::string_view(type)));
    types[std::string(type)] = command.get_string().c_str();
  }
  return types;
}

Result<releases::Slug> slug_of(Call& call, std::string_view purpose) {
  const auto id = call.parts.capabilities.open(purpose, call.param("capability"));
  if (!id)
    return fail(Kind::not_found,
                "This address has expired. GET the slug again for a new blob.url.");
  return call.services.slugs.find(Id<releases::Slug>{*id});
}

}  // namespace

Result<Answer> slug_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::deploy));
  releases::NewSlug wanted;
  wanted.app = app.id;
  wanted.process_types = TRY(process_types_in(body));
  wanted.commit = TRY(text_in(body, "commit")).value_or("");
  wanted.commit_description = TRY(text_in(body, "commit_description")).value_or("");
  wanted.buildpack_provided_description =
      TRY(text_in(body, "buildpack_provided_description")).value_or("");
  const auto stack = TRY(identity_in(body, "stack"));
  wanted.stack = stack ? TRY(stack_named(services.apps, *stack)) : app.build_stack;
  const auto checksum = TRY(text_in(body, "checksum")).value_or("");
  if (!checksum.empty()) TRY(releases::UploadChecksums::check(checksum));

  auto transaction = services.database.begin();
  const auto slug = TRY(services.slugs.create_empty(wanted));
  if (!checksum.empty()) upload_checksums(call).expect(slug.id, checksum);
  transaction.commit();
  return created(to_json(call, slug, Blob::put));
}

Result<Answer> slug_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  const auto slug = TRY(call.services.slugs.find(Id<releases::Slug>{call.param("slug")}));
  // Slugs are shared: this app's own, or one that a release of it runs.
  if (slug.app != app.id) {
    bool released = false;
    for (const auto& release : call.services.releases.all(app.id))
      released = released || release.slug == slug.id;
    if (!released) return fail(Kind::not_found, "Couldn't find that slug.");
  }
  return ok(to_json(call, slug, call.services.slugs.available(slug) ? Blob::get : Blob::put));
}

Result<Answer> slug_upload(Call& call) {
  const auto slug = TRY(slug_of(call, "slug.put"));
  const auto upload = new_uuid();
  const auto archive =
      TRY(call.parts.uploads.receive(upload, [&] { return call.request.stream->read(); }));
  const auto said = upload_checksums(call).verify(slug.id, archive);
  const auto stored = said ? call.services.slugs.upload(slug.id, archive)
                           : Result<releases::Slug>(std::unexpected(said.error()));
  call.parts.uploads.remove(upload);
  if (!stored) return std::unexpected(stored.error());
  const auto checksum = upload_checksums(call).of(slug.id).value_or(stored->checksum);
  return ok(json::object{{"checksum", checksum}, {"size", stored->size}});
}

Result<Answer> slug_download(Call& call) {
  const auto slug = TRY(slug_of(call, "slug.get"));
  const auto archive = TRY(call.services.slugs.archive(slug));
  return send_file(archive, "application/octet-stream");
}

}  // namespace renga::api

// Buildpacks that have names: the registry that the official CLI asks before it sets one, and
// searches. Read-only: names come from the program itself.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::object to_json(const builds::KnownBuildpack& buildpack) {
  const auto [space, word] = text::split_once(buildpack.name, '/');
  // Where others' come from, taken apart: ".../owner/repository".
  const auto parts = text::split(buildpack.address, '/');
  const bool elsewhere = parts.size() >= 2;
  return {
      {"blob_url", "urn:buildpack:" + buildpack.name},
      {"category", elsewhere ? "community" : "languages"},
      {"description", buildpack.summary},
      {"id", fixed_uuid("buildpack/" + buildpack.name)},
      {"name", word},
      {"namespace", space},
      {"source", json::object{{"owner", elsewhere ? parts[parts.size() - 2] : space},
                              {"repo", elsewhere ? parts.back() : word},
                              {"type", elsewhere ? "github" : "builtin"}}},
      {"support", json::object{{"method", elsewhere ? "github" : "operator"}}},
      {"two_factor_authentication", false},
  };
}

Result<builds::KnownBuildpack> known(const Call& call) {
  const auto& name = call.param("buildpack");
  for (const auto& each : call.services.builds.known_buildpacks())
    if (each.name == name) return each;
  return fail(Kind::not_found,
              fmt::format("There is no buildpack {} here.", text::printable(name)));
}

// Of "in[namespace][]=a&in[namespace][]=b": the values; a map would keep one of them.
std::vector<std::string> values(std::string_view query, std::string_view name) {
  std::vector<std::string> all;
  for (const auto part : text::split(query, '&'))
    for (const auto& [key, value] : text::query(part))
      if (key == name) all.push_back(value);
  return all;
}

bool wanted(const std::vector<std::string>& any_of, std::string_view value) {
  return any_of.empty() || std::ranges::find(any_of, value) != any_of.end();
}

}  // namespace

Result<Answer> registry_buildpack_list(Call& call) {
  const auto& query = call.request.query;
  const auto spaces = values(query, "in[namespace][]");
  const auto names = values(query, "in[name][]");
  const auto words = values(query, "like[description]");
  json::array array;
  for (const auto& each : call.services.builds.known_buildpacks()) {
    const auto [space, word] = text::split_once(each.name, '/');
    const auto summary = text::lower(each.summary);
    if (wanted(spaces, space) && wanted(names, word) &&
        std::ranges::all_of(words, [&](const auto& text) {
          return summary.find(text::lower(text)) != std::string::npos;
        }))
      array.push_back(to_json(each));
  }
  return small_list(call, std::move(array), {"name", "id"});
}

// A name that nobody registered is no name here, but the repository of GitHub that it is; the
// official CLI asks before it sets one.
Result<Answer> registry_buildpack(Call& call) {
  if (const auto found = known(call)) return ok(to_json(*found));
  const auto& name = call.param("buildpack");
  const auto canonical = call.services.builds.buildpack(name);
  if (!canonical) return fail(Kind::not_found, canonical.error().message);
  return ok(to_json({*canonical, "https://github.com/" + *canonical, ""}));
}

Result<Answer> registry_buildpack_revisions(Call& call) {
  const auto found = TRY(known(call));
  return ok(json::array{json::object{{"created_at", platform_time()},
                                     {"id", fixed_uuid("revision/" + found.name)},
                                     {"license", "MIT"},
                                     {"release", 1},
                                     {"status", "published"}}});
}

Result<Answer> registry_buildpack_readme(Call& call) {
  const auto found = TRY(known(call));
  return ok(json::object{{"content", found.summary}});
}

}  // namespace renga::api

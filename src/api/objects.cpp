#include "api/objects.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <memory>

#include "apps/regions.h"
#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace renga::api {

std::string fixed_uuid(std::string_view text) {
  // The first half of a digest in the form of a name-based UUID (RFC 9562, version 8).
  auto digits = crypto::sha256(text);
  digits[12] = '8';
  digits[16] = "89ab"[std::string_view("0123456789abcdef").find(digits[16]) % 4];
  for (const std::size_t at : {8, 13, 18, 23}) digits.insert(at, 1, '-');
  return digits.substr(0, 36);
}

json::object app_ref(const apps::App& app) { return {{"id", app.id.value}, {"name", app.name}}; }

json::object stack_ref(std::string_view name) {
  return {{"id", fixed_uuid(fmt::format("stack/{}", name))}, {"name", name}};
}

json::object region_ref(std::string_view name) {
  return {{"id", fixed_uuid(fmt::format("region/{}", name))}, {"name", name}};
}

json::object generation_ref() {
  static const auto id = fixed_uuid("generation/cedar");
  return {{"id", id}, {"name", "cedar"}};
}

json::value text_or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

std::string platform_time() { return "2026-01-01T00:00:00Z"; }

Result<std::string> stack_named(const apps::Apps& apps, std::string_view identity) {
  for (const auto& name : apps.stacks())
    if (name == identity || fixed_uuid("stack/" + name) == identity) return name;
  return fail(Kind::invalid,
              fmt::format("There is no stack {} here. Stacks: {}. An operator adds others with "
                          "`renga stacks:install`.",
                          text::printable(identity), text::join(apps.stacks(), ", ")));
}

Result<std::string> region_named(std::string_view identity) {
  for (const auto name : apps::Regions::names)
    if (name == identity || fixed_uuid(fmt::format("region/{}", name)) == identity)
      return std::string(name);
  const std::vector<std::string> all(apps::Regions::names.begin(), apps::Regions::names.end());
  return fail(Kind::invalid,
              fmt::format("There is no region {} here. Regions: {}. All are this machine.",
                          text::printable(identity), text::join(all, ", ")));
}

json::object to_json(const Call& call, const apps::App& app, const accounts::Account& owner) {
  const auto& services = call.services;
  const auto time = [](const std::optional<Time>& at) {
    return at ? json::value(rfc3339(*at)) : json::value(nullptr);
  };
  const auto bytes = [](const std::optional<std::int64_t>& size) {
    return size ? json::value(*size) : json::value(nullptr);
  };
  // git is always offered over TLS, on the host that the caller knows this server by.
  const auto host = call.request.headers.value_or("Host", "");
  const auto git = host.empty() ? services.tls_url
                                : "https" + call.base_url().substr(call.base_url().find("://"));
  const auto stack = stack_ref(app.stack);
  return {
      {"acm", false},
      {"archived_at", nullptr},
      {"build_stack", app.build_stack == app.stack ? stack : stack_ref(app.build_stack)},
      {"buildpack_provided_description",
       text_or_null(app.buildpack_provided_description.value_or(""))},
      {"create_status", "complete"},
      {"created_at", rfc3339(app.created_at)},
      {"generation", generation_ref()},
      {"git_url", fmt::format("{}/{}.git", git, app.name)},
      {"id", app.id.value},
      {"internal_routing", nullptr},
      {"locked", false},
      {"maintenance", app.maintenance},
      {"name", app.name},
      {"organization", nullptr},
      {"owner", json::object{{"email", owner.email}, {"id", owner.id.value}}},
      {"process_tier", "production"},
      {"region", region_ref(apps::Regions(services.database).of(app.id))},
      {"released_at", time(app.released_at)},
      {"repo_size", bytes(app.repo_size)},
      {"slug_size", bytes(app.slug_size)},
      {"space", nullptr},
      {"stack", stack},
      {"team", nullptr},
      {"updated_at", rfc3339(app.updated_at)},
      {"web_url", text::replace_all(services.web_url_format, "{host}",
                                    services.domains.default_hostname(app))},
  };
}

json::object buildpack_json(const apps::BuildpackInstallation& installation) {
  // Clients show a named one without its prefix, and expect to find it with it.
  const auto name = installation.name();
  return {{"url", installation.is_named() ? "urn:buildpack:" + name : installation.url},
          {"name", name}};
}

Answer send_file(const std::filesystem::path& path, std::string_view content_type) {
  auto file = std::make_shared<std::ifstream>(path, std::ios::binary);
  if (!*file) fault("opening " + path.string());
  http::Response response;
  response.headers.set("Content-Type", std::string(content_type));
  response.stream = [file](const std::shared_ptr<http::ResponseStream>& out) {
    std::array<char, 64 * 1024> piece;
    while (file->read(piece.data(), piece.size()) || file->gcount() > 0)
      if (!out->write({piece.data(), static_cast<std::size_t>(file->gcount())})) return;
    out->finish();
  };
  Answer answer;
  answer.whole = std::move(response);
  return answer;
}

}  // namespace renga::api

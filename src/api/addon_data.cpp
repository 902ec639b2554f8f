// The data API: calls of Heroku's CLI about databases, passed on to the provider of the add-on once
// the caller may use it. What the calls mean is the provider's business; see docs/addons.md.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/body.h"
#include "base/report.h"
#include "base/text.h"
#include "http/client.h"

namespace renga::api {
namespace {

constexpr std::size_t largest_answer = 1 << 20;

apps::Permission needed(const Call& call) {
  // Even looking shows how to connect.
  return call.request.method == "GET" || call.request.method == "HEAD" ? apps::Permission::deploy
                                                                       : apps::Permission::operate;
}

Result<void> check_scope(const Call& call) {
  if (needed(call) == apps::Permission::deploy ||
      accounts::allows(call.caller.authorization, accounts::Access::write_protected))
    return {};
  return fail(Kind::forbidden, "The scope of this token does not allow to change add-ons.");
}

// "/client/v11/databases" of /client/v11/databases/:addon/…: what is in front of the parameter.
std::string data_path(const Call& call) {
  const auto parts = text::split(call.request.path, '/');
  const auto& path = call.request.path;
  const std::size_t words = path.starts_with("/data/kafka") ? 4 : 3;
  std::string prefix;
  std::size_t seen = 0;
  for (const auto part : parts)
    if (!part.empty() && seen++ < words) prefix += "/" + std::string(part);
  return prefix;
}

Result<Answer> pass_on(Call& call, const addons::Service& service, const std::string& identity,
                       const std::vector<std::pair<std::string, std::string>>& headers) {
  const auto secrets = call.services.marketplace.catalog.secrets(service.id);
  const auto rest = call.request.params.find("rest");
  // libcurl would take the dots out, and lead this server's own password to other paths.
  if (rest != call.request.params.end())
    for (const auto part : text::split(rest->second, '/'))
      if (part == "." || part == "..")
        return fail(Kind::bad_request, "The path has a part of dots in it.");
  http::ClientRequest request;
  request.method = call.request.method;
  request.url = service.manifest.origin() + data_path(call) + "/" + identity +
                (rest == call.request.params.end() ? "" : rest->second) +
                (call.request.query.empty() ? "" : "?" + call.request.query);
  request.direct = service.manifest.base_url.starts_with("http://");
  request.headers.add("Authorization",
                      "Basic " + text::base64(service.name() + ":" + secrets.password));
  request.headers.add("Accept", "application/json");
  for (const auto& [name, value] : headers) request.headers.add(name, value);
  // Where links lead. https, since Heroku's CLI downloads by nothing else; the port takes both.
  const auto base = call.base_url();
  request.headers.add("X-Renga-Base",
                      base.starts_with("http://") ? "https://" + base.substr(7) : base);
  request.headers.add("X-Renga-User", text::printable(call.account().email));
  if (const auto type = call.request.headers.find("Content-Type");
      type && !call.request.body.empty())
    request.headers.add("Content-Type", text::printable(*type));
  request.body = call.request.body;
  http::Response response;
  bool too_long = false;
  request.on_body = [&](std::string_view piece) {
    too_long = response.body.size() + piece.size() > largest_answer;
    if (!too_long) response.body += piece;
    return !too_long;
  };
  http::Client client;
  const auto answer = client.send(request);
  if (!answer || too_long) {
    report("addons", fmt::format("the data API of {}: {}", service.name(),
                                 answer ? "an answer over 1 MiB" : answer.error().message));
    return fail(
        Kind::unavailable,
        fmt::format("The provider of {} does not answer now. Try again later.", service.name()));
  }
  response.status = answer->status;
  response.headers.set("Content-Type", text::printable(answer->headers.value_or(
                                           "Content-Type", "application/json")));
  // Its 401 would be of this server's own password, and clients would ask people for theirs.
  if (answer->status == 401 || answer->status / 100 == 1 || answer->status / 100 == 3)
    return fail(Kind::unavailable, fmt::format("The provider of {} answered with {}.",
                                               service.name(), answer->status));
  Answer whole;
  whole.whole = std::move(response);
  return whole;
}

bool offers(const addons::Service& service, const std::string& path) {
  return std::ranges::find(service.manifest.data_paths, path) != service.manifest.data_paths.end();
}

}  // namespace

Result<Answer> addon_data(Call& call) {
  TRY(check_scope(call));
  const auto addon = TRY(addon_in(call, needed(call)));
  const auto service = call.services.marketplace.catalog.service(addon.service);
  if (!offers(service, data_path(call)))
    return fail(Kind::not_found, fmt::format("{} is not managed by such calls.", service.name()));
  return pass_on(call, service, addon.id.value,
                 {{"X-Renga-Addon", addon.id.value}, {"X-Renga-App", addon.app.value}});
}

Result<Answer> addon_data_of_app(Call& call) {
  TRY(check_scope(call));
  const auto app = TRY(call.app(needed(call)));
  for (const auto& service : call.services.marketplace.catalog.services())
    if (offers(service, data_path(call)))
      return pass_on(call, service, app.id.value, {{"X-Renga-App", app.id.value}});
  return fail(Kind::not_found, "No provider on this server takes such calls.");
}

}  // namespace renga::api

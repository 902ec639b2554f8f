#include "provider/partner_api.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/id.h"
#include "base/report.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "provider/platform.h"

namespace renga::provider {
namespace {

constexpr std::size_t longest_body = 1 << 20;
constexpr std::int64_t sign_on_seconds = 300;
// Options of Heroku's that fill the new add-on with another's data.
constexpr const char* with_data_of_another[] = {"fork", "follow", "rollback"};

http::Response json_answer(int status, const json::value& body) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = json::serialize(body);
  return response;
}

int status_of(Kind kind) {
  switch (kind) {
    case Kind::bad_request:
      return 400;
    case Kind::unauthorized:
      return 401;
    case Kind::forbidden:
      return 403;
    case Kind::not_found:
      return 404;
    case Kind::conflict:
      return 409;
    case Kind::unavailable:
      return 503;
    default:
      return 422;
  }
}

const char* id_of(Kind kind) {
  switch (kind) {
    case Kind::bad_request:
      return "bad_request";
    case Kind::unauthorized:
      return "unauthorized";
    case Kind::forbidden:
      return "forbidden";
    case Kind::not_found:
      return "not_found";
    case Kind::conflict:
      return "conflict";
    case Kind::unavailable:
      return "service_unavailable";
    default:
      return "invalid_params";
  }
}

http::Response refused(const Error& error) {
  return json_answer(status_of(error.kind),
                     {{"id", id_of(error.kind)}, {"message", error.message}});
}

http::Response answer_of(const Result<Provisioned>& made, int status) {
  if (!made) return refused(made.error());
  json::object body{{"id", made->id}};
  if (!made->message.empty()) body["message"] = made->message;
  if (made->later) return json_answer(202, body);
  json::object config;
  for (const auto& [name, value] : made->config) config[name] = value;
  body["config"] = std::move(config);
  return json_answer(status, body);
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

Result<json::object> body_of(const http::Request& request) {
  if (text::trim(request.body).empty()) return json::object{};
  boost::system::error_code wrong;
  auto value = json::parse(request.body, wrong);
  if (wrong || !value.is_object()) return fail(Kind::bad_request, "The body is not a JSON object.");
  return std::move(value.get_object());
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace

http::Route PartnerApi::route(const http::Request&) {
  http::Route route;
  route.handler = [this](http::Request& request) { return answer(request); };
  route.body_limit = longest_body;
  return route;
}

bool PartnerApi::knows_password(const http::Request& request) const {
  const auto given = request.headers.value_or("Authorization", "");
  if (!given.starts_with("Basic ")) return false;
  const auto pair = text::from_base64(given.substr(6));
  return pair && crypto::equal_in_constant_time(
                     crypto::sha256(*pair), crypto::sha256(secrets_.id + ":" + secrets_.password));
}

http::Response PartnerApi::answer(http::Request& request) {
  std::vector<std::string> path;
  for (const auto part : text::split(std::string_view(request.path).substr(1), '/'))
    path.push_back(text::url_decode(part));
  try {
    if (request.method == "POST" && request.path == "/sso/login") return sign_on(request);
    if (!knows_password(request))
      return refused({Kind::unauthorized, "This is for the platform, by the manifest's password."});
    if (path.size() >= 2 && path[0] == "heroku" && path[1] == "resources")
      return resources(request, path);
    return data(request, std::move(path));
  } catch (const std::exception& error) {
    report("provider", fmt::format("{} {}: {}", request.method, request.path, error.what()));
    return json_answer(503, {{"id", "service_unavailable"},
                             {"message", "The add-on's provider failed. Try again later."}});
  }
}

http::Response PartnerApi::resources(const http::Request& request,
                                     const std::vector<std::string>& path) {
  const auto body = body_of(request);
  if (!body) return refused(body.error());
  if (request.method == "POST" && path.size() == 2) return provision(*body);
  if (path.size() != 3 || !is_uuid(path[2]))
    return refused({Kind::not_found, "There is no such resource."});
  const auto uuid = text::lower(path[2]);
  if (request.method == "PUT")
    return answer_of(provider_.change_plan(uuid, text_of(*body, "plan")), 200);
  if (request.method == "DELETE") {
    platform_.forget(uuid);
    const auto gone = provider_.deprovision(uuid);
    if (!gone && gone.error().kind == Kind::not_found)
      return json_answer(410, {{"id", "gone"}, {"message", gone.error().message}});
    return gone ? json_answer(200, json::object{}) : refused(gone.error());
  }
  return refused({Kind::not_found, "There is no such call."});
}

http::Response PartnerApi::provision(const json::object& body) {
  Resource resource{
      text::lower(text_of(body, "uuid")), text_of(body, "name"), text_of(body, "plan"), {}};
  if (!is_uuid(resource.uuid)) return refused({Kind::invalid, "A resource needs its uuid."});
  if (const auto* options = body.if_contains("options"); options && options->is_object())
    resource.options = options->get_object();
  if (const auto* undelete = body.if_contains("undelete"); undelete && undelete->is_bool())
    resource.undelete = undelete->get_bool();
  for (const auto* word : with_data_of_another)
    if (resource.options.contains(word))
      return refused({Kind::invalid, fmt::format("{} does not offer --{}, and an empty add-on is "
                                                 "not what was asked for. Create one without it, "
                                                 "and copy the data.",
                                                 secrets_.id, word)});
  const auto made = provider_.provision(resource);
  if (made)
    if (const auto* grant = body.if_contains("oauth_grant"); grant && grant->is_object())
      if (const auto code = text_of(grant->get_object(), "code"); !code.empty())
        platform_.granted(resource.uuid, code);
  return answer_of(made, 201);
}

http::Response PartnerApi::data(const http::Request& request, std::vector<std::string> path) {
  if (request.method == "GET" && path.size() == 3 && path[0] == "data" && path[1] == "downloads") {
    auto file = provider_.download(path[2]);
    if (file && request.query == "look=1") {
      http::Response there;
      there.status = 204;
      return there;
    }
    return file ? std::move(*file) : refused({Kind::not_found, "There is no such download."});
  }
  auto body = body_of(request);
  if (!body) return refused(body.error());
  DataCall call;
  call.method = request.method;
  call.path = std::move(path);
  call.query = text::query(request.query);
  call.body = std::move(*body);
  call.addon = request.headers.value_or("X-Renga-Addon", "");
  call.app = request.headers.value_or("X-Renga-App", "");
  call.base = request.headers.value_or("X-Renga-Base", "");
  const auto answer = provider_.data(call);
  return answer ? json_answer(200, *answer) : refused(answer.error());
}

http::Response PartnerApi::sign_on(const http::Request& request) {
  const auto form = text::query(request.body);
  const auto value = [&](const std::string& name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
  };
  const auto uuid = text::lower(value("resource_id"));
  const auto expected =
      crypto::sha256(fmt::format("{}:{}:{}:{}:{}", value("resource_id"), secrets_.sso_salt,
                                 value("timestamp"), value("user_id"), value("email")));
  const auto at = text::number(value("timestamp")).value_or(0);
  const auto now = to_micros(clock_.now()) / 1'000'000;
  http::Response response;
  response.headers.add("Content-Type", "text/html; charset=utf-8");
  if (!crypto::equal_in_constant_time(expected, value("user_scoped_resource_token")) ||
      at < now - sign_on_seconds || at > now + sign_on_seconds) {
    response.status = 403;
    response.body =
        "<!doctype html><title>Refused</title><p>Open the add-on again: this link is "
        "not valid any more.\n";
    return response;
  }
  const auto rows = provider_.dashboard(uuid);
  if (!rows) {
    response.status = 404;
    response.body = "<!doctype html><title>Gone</title><p>" + escaped(rows.error().message) + "\n";
    return response;
  }
  std::string table;
  for (const auto& [name, text] : *rows)
    table += "<tr><th>" + escaped(name) + "<td>" + escaped(text) + "\n";
  response.body = "<!doctype html><html lang=en><title>" + escaped(secrets_.id) +
                  "</title><style>body{font:16px sans-serif;margin:3em}th{text-align:left;"
                  "padding-right:2em}</style><h1>" +
                  escaped(secrets_.id) + "</h1><table>\n" + table + "</table>\n";
  return response;
}

}  // namespace renga::provider

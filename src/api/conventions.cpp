#include "api/conventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "crypto/digest.h"

namespace renga::api {
namespace {

constexpr std::string_view our_type = "application/vnd.heroku+json";

// "3" of "application/vnd.heroku+json; version=3.sdk; q=1", or nothing.
std::string version_in(const std::vector<std::string_view>& parameters) {
  for (const auto& parameter : parameters) {
    const auto [name, value] = text::split_once(text::trim(parameter), '=');
    if (!text::equals_ignoring_case(text::trim(name), "version")) continue;
    return text::replace_all(std::string(text::trim(value)), "\"", "");
  }
  return "";
}

}  // namespace

Result<void> check_version(std::string_view accept) {
  if (text::trim(accept).empty()) return {};
  std::string refused;
  for (const auto& range : text::split(accept, ',')) {
    const auto parameters = text::split(range, ';');
    const auto type = text::lower(text::trim(parameters.front()));
    if (type == "*/*" || type == "application/*" || type == "application/json") return {};
    if (type != our_type) continue;
    const auto version = version_in(parameters);
    if (version.empty() || version == "3" || version.starts_with("3.")) return {};
    refused = version;
  }
  if (!refused.empty())
    return fail(
        Kind::not_acceptable,
        fmt::format("Version {} of the API is not served here. Send `Accept: {}; version=3`.",
                    text::printable(refused), our_type));
  return fail(Kind::not_acceptable,
              fmt::format("The API answers in JSON, which your Accept header rules out. Send "
                          "`Accept: {}; version=3`.",
                          our_type));
}

std::string joined_request_ids(const http::Request& request) {
  // The official CLI sends the ids of all its earlier calls along: each comes back once, none makes
  // a log or a header worse, and the whole stays below 4 KiB.
  std::vector<std::string> ids;
  std::size_t size = 0;
  for (const auto& part : text::split(request.headers.value_or("Request-Id", ""), ',')) {
    std::string id(text::trim(part));
    const bool plain = std::ranges::all_of(id, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
    if (id.empty() || id.size() > 128 || !plain || std::ranges::find(ids, id) != ids.end())
      continue;
    size += id.size() + 1;
    if (size > 4096) break;
    ids.push_back(std::move(id));
  }
  ids.push_back(request.id);
  return text::join(ids, ",");
}

void add_caching(const http::Request& request, http::Response& response) {
  response.headers.set("Cache-Control", "private, no-cache");
  response.headers.set("Vary", "Accept, Authorization, Range");
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads || (response.status != 200 && response.status != 206)) return;

  const auto tag = fmt::format("\"{}\"", crypto::sha256(response.body).substr(0, 32));
  response.headers.set("ETag", tag);
  for (const auto& given : text::split(request.headers.value_or("If-None-Match", ""), ',')) {
    auto candidate = text::trim(given);
    if (candidate.starts_with("W/")) candidate.remove_prefix(2);
    if (candidate != tag && candidate != "*") continue;
    response.status = 304;
    response.body.clear();
    response.headers.remove("Content-Type");
    return;
  }
}

}  // namespace renga::api

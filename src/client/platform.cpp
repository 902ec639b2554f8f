#include "client/platform.h"

#include <fmt/format.h>

#include "base/text.h"
#include "http/client.h"

namespace renga::client {
namespace json = boost::json;

namespace {

constexpr std::size_t large_body = 1 << 20;  // bytes, whose way may take any time

class HttpTransport final : public Transport {
 public:
  explicit HttpTransport(std::filesystem::path ca) : ca_(std::move(ca)) {}

  Result<Answer> send(const std::string& method, const std::string& url,
                      const http::Headers& headers, const std::string& body,
                      const std::function<bool(std::string_view)>& on_body) override {
    http::ClientRequest request;
    request.method = method;
    request.url = url;
    request.headers = headers;
    request.body = body;
    request.ca_file = ca_.string();
    if (on_body) request.on_body = on_body;
    if (on_body || body.size() > large_body) request.timeout = std::chrono::milliseconds(0);
    auto answer = TRY(client_.send(request));
    // As Heroku's CLI shows it.
    if (const auto warning = answer.headers.value_or("X-Heroku-Warning", ""); !warning.empty())
      fmt::print(stderr, " ›   Warning: {}\n", text::printable(warning));
    return Answer{answer.status, std::move(answer.headers), std::move(answer.body)};
  }

 private:
  std::filesystem::path ca_;
  http::Client client_;
};

Kind kind_of(int status) {
  switch (status) {
    case 400:
      return Kind::bad_request;
    case 401:
      return Kind::unauthorized;
    case 403:
      return Kind::forbidden;
    case 404:
      return Kind::not_found;
    case 409:
    case 423:
      return Kind::conflict;
    case 413:
      return Kind::too_large;
    case 429:
      return Kind::rate_limited;
    default:
      return status >= 500 ? Kind::unavailable : Kind::invalid;
  }
}

// The server's own sentence, or what there is instead of one.
Error refusal(const Transport::Answer& answer, const std::string& url) {
  boost::system::error_code error;
  const auto body = json::parse(answer.body, error);
  if (!error && body.is_object())
    if (const auto* message = body.as_object().if_contains("message");
        message && message->is_string())
      return {kind_of(answer.status), std::string(message->as_string())};
  return {kind_of(answer.status), fmt::format("{} answered with status {}.", url, answer.status)};
}

}  // namespace

std::unique_ptr<Transport> http_transport(const std::filesystem::path& ca) {
  return std::make_unique<HttpTransport>(ca);
}

Result<json::value> Platform::get(const std::string& path, const std::string& range) {
  return call("GET", path, nullptr, range);
}
Result<json::value> Platform::post(const std::string& path, const json::value& body) {
  return call("POST", path, &body, {});
}
Result<json::value> Platform::patch(const std::string& path, const json::value& body) {
  return call("PATCH", path, &body, {});
}
Result<json::value> Platform::put(const std::string& path, const json::value& body) {
  return call("PUT", path, &body, {});
}
Result<json::value> Platform::remove(const std::string& path) {
  return call("DELETE", path, nullptr, {});
}

Result<json::value> Platform::remove(const std::string& path, const json::value& body) {
  return call("DELETE", path, &body, {});
}

Result<json::value> Platform::call(const std::string& method, const std::string& path,
                                   const json::value* body, const std::string& range) {
  http::Headers headers;
  headers.add("Accept", "application/vnd.heroku+json; version=3");
  headers.add("Authorization", "Bearer " + settings_.token);
  headers.add("User-Agent", "renga-cli");
  if (body) headers.add("Content-Type", "application/json");
  if (!range.empty()) headers.add("Range", range);

  const auto url = settings_.url + path;
  const auto answer =
      TRY(transport_.send(method, url, headers, body ? json::serialize(*body) : std::string(), {}));
  if (answer.status >= 300) return std::unexpected(refusal(answer, url));
  if (text::trim(answer.body).empty()) return json::value();

  boost::system::error_code error;
  auto value = json::parse(answer.body, error);
  if (error)
    return fail(Kind::unavailable,
                fmt::format("{} did not answer with JSON. Is it a renga server?", url));

  // A list that goes on in another page: the pages become one list, as long as the caller set no
  // range.
  const auto next = answer.headers.find("Next-Range");
  if (next && range.find("max=") == std::string::npos && value.is_array()) {
    auto rest = TRY(call(method, path, body, std::string(*next)));
    if (rest.is_array())
      for (auto& item : rest.as_array()) value.as_array().push_back(std::move(item));
  }
  return value;
}

Result<void> Platform::upload(const std::string& url, const std::string& bytes) {
  http::Headers headers;
  headers.add("User-Agent", "renga-cli");
  const auto answer = TRY(transport_.send("PUT", url, headers, bytes, {}));
  if (answer.status >= 300) return std::unexpected(refusal(answer, "The upload"));
  return {};
}

Result<void> Platform::stream(const std::string& url, const http::Headers& headers,
                              const std::function<bool(std::string_view)>& on_body) {
  auto all = headers;
  all.add("User-Agent", "renga-cli");
  std::string refused;
  const auto answer = TRY(transport_.send("GET", url, all, {}, on_body));
  if (answer.status >= 300)
    return fail(kind_of(answer.status),
                fmt::format("The stream answered with status {}.", answer.status));
  return {};
}

}  // namespace renga::client

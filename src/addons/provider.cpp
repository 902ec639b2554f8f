#include "addons/provider.h"

#include <fmt/format.h>

#include <atomic>
#include <boost/json.hpp>

#include "base/text.h"
#include "http/client.h"

namespace renga::addons {
namespace json = boost::json;

namespace {

constexpr std::size_t largest_answer = 1 << 20;
constexpr std::size_t longest_message = 2'000;
constexpr std::size_t largest_config = 64 * 1024;

// Text for people, from a stranger: cut, and without control characters that move a cursor.
std::string for_people(std::string_view text) {
  std::string clean;
  for (const auto line : text::lines(text.substr(0, longest_message))) {
    if (!clean.empty()) clean += '\n';
    clean += text::printable(line);
  }
  return clean;
}

void not_understood(ProviderAnswer& answer, std::string_view why) {
  answer.problem = fmt::format("its answer ({}) is not understood: {}", answer.status, why);
}

void read_config(ProviderAnswer& answer, const json::value& value) {
  if (!value.is_object()) {
    not_understood(answer, "`config` is no object");
    return;
  }
  std::map<std::string, std::string> vars;
  std::size_t size = 0;
  for (const auto& [name, var] : value.get_object()) {
    if (!var.is_string()) {
      not_understood(answer, "a value of `config` is no string");
      return;
    }
    const std::string text(var.get_string());
    if (text.contains('\0')) {
      not_understood(answer, "a value of `config` has a NUL in it");
      return;
    }
    size += name.size() + text.size();
    vars[std::string(name)] = text;
  }
  if (size > largest_config) {
    not_understood(answer, "`config` is over 64 KiB");
    return;
  }
  answer.config = std::move(vars);
}

// What the protocol knows, where it is; what else is there is the provider's business.
void read_body(ProviderAnswer& answer, const std::string& body) {
  boost::system::error_code error;
  const auto value = json::parse(body, error);
  if (error || !value.is_object()) {
    if (answer.status / 100 == 2 && answer.status != 204 && !text::trim(body).empty())
      not_understood(answer, "it is not a JSON object");
    return;
  }
  const auto& object = value.get_object();
  if (const auto* message = object.if_contains("message"); message && message->is_string())
    answer.message = for_people(message->get_string());
  if (const auto* id = object.if_contains("id"); id != nullptr && !id->is_null()) {
    if (id->is_string())
      answer.id = std::string(id->get_string()).substr(0, 500);
    else if (id->is_number())
      answer.id = json::serialize(*id);
    else
      not_understood(answer, "`id` is neither a string nor a number");
  }
  if (const auto* url = object.if_contains("log_drain_url"); url != nullptr && url->is_string())
    answer.log_drain_url = url->get_string();
  if (const auto* config = object.if_contains("config"); config != nullptr && !config->is_null())
    read_config(answer, *config);
}

class HttpProvider final : public Provider {
 public:
  explicit HttpProvider(std::chrono::milliseconds limit) : limit_(limit) {}

  ProviderAnswer provision(const Endpoint& endpoint, const ProvisionRequest& wanted) override {
    json::object options;
    for (const auto& [name, value] : wanted.options) options[name] = value;
    json::object body{{"callback_url", wanted.callback_url},
                      {"name", wanted.name},
                      {"oauth_grant", json::object{{"code", wanted.grant_code},
                                                   {"expires_at", rfc3339(wanted.grant_expires_at)},
                                                   {"type", "authorization_code"}}},
                      {"options", std::move(options)},
                      {"plan", wanted.plan},
                      {"region", "renga::local"},
                      {"uuid", wanted.uuid}};
    if (wanted.undelete) body["undelete"] = true;
    if (!wanted.log_drain_token.empty()) body["log_drain_token"] = wanted.log_drain_token;
    if (!wanted.log_input_url.empty()) body["log_input_url"] = wanted.log_input_url;
    return call(endpoint, "POST", "", body);
  }
  ProviderAnswer change_plan(const Endpoint& endpoint, const std::string& uuid,
                             const std::string& plan) override {
    return call(endpoint, "PUT", "/" + uuid, json::object{{"plan", plan}, {"uuid", uuid}});
  }
  ProviderAnswer deprovision(const Endpoint& endpoint, const std::string& uuid) override {
    return call(endpoint, "DELETE", "/" + uuid, json::value());
  }

  void stop() override { stopping_ = true; }

 private:
  ProviderAnswer call(const Endpoint& endpoint, const std::string& method, const std::string& path,
                      const json::value& body) {
    http::ClientRequest request;
    request.method = method;
    request.url = endpoint.base_url + path;
    request.timeout = limit_;
    request.stop = &stopping_;
    request.direct = endpoint.base_url.starts_with("http://");  // which is this machine alone
    request.headers.add("Authorization",
                        "Basic " + text::base64(endpoint.user + ":" + endpoint.password));
    request.headers.add("Accept", "application/vnd.heroku-addons+json; version=3");
    request.headers.add("User-Agent", "renga");
    if (body.is_object()) {
      request.headers.add("Content-Type", "application/json");
      request.body = json::serialize(body);
    }
    std::string received;
    bool too_long = false;
    request.on_body = [&](std::string_view piece) {
      too_long = received.size() + piece.size() > largest_answer;
      if (!too_long) received += piece;
      return !too_long;
    };

    // A client a call: calls are seconds apart, and a connection that the provider has closed
    // meanwhile would be a failure of its own.
    http::Client client;
    ProviderAnswer answer;
    const auto response = client.send(request);
    if (!response) {
      answer.problem = response.error().message;
      return answer;
    }
    answer.status = response->status;
    if (too_long)
      not_understood(answer, "it is over 1 MiB");
    else
      read_body(answer, received);
    return answer;
  }

  const std::chrono::milliseconds limit_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace

Outcome outcome_of(const ProviderAnswer& answer) {
  if (!answer.problem.empty() || answer.status == 0) return Outcome::no_answer;
  switch (answer.status) {
    case 200:
    case 201:
    case 204:
      return Outcome::done;
    case 202:
      return Outcome::later;
    case 404:
      return Outcome::missing;
    case 410:
      return Outcome::gone;
    case 408:
    case 429:
      return Outcome::no_answer;
    default:
      // A redirect, or a 2xx that the protocol does not have, says nothing that could be relied on.
      return answer.status / 100 == 4 ? Outcome::refused : Outcome::no_answer;
  }
}

std::unique_ptr<Provider> http_provider(std::chrono::milliseconds limit) {
  return std::make_unique<HttpProvider>(limit);
}

}  // namespace renga::addons

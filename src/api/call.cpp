#include "api/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/body.h"

namespace renga::api {
namespace {

// A host name with an optional port; IPv6 addresses in brackets.
bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 260 && std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' ||
           c == ']';
  });
}

}  // namespace

Result<json::object> Call::body() const { return parse_body(request.body); }

std::string Call::base_url() const {
  const auto host = request.headers.value_or("Host", "");
  if (!is_host(host)) return request.tls ? services.tls_url : services.url;
  return fmt::format("{}://{}", request.tls ? "https" : "http", host);
}

json::object Call::user(const Id<accounts::Account>& id) {
  auto& user = users[id.value];
  if (user.empty() && id == caller.account.id) {
    user = {{"id", id.value}, {"email", caller.account.email}};
  } else if (user.empty()) {
    // Accounts may go; what they did stays. Providers do things too.
    const auto email = services.marketplace.owed.email_of(id);
    user = {{"id", id.value}, {"email", email.value_or("deleted@localhost")}};
  }
  return user;
}

void Call::log(const Id<apps::App>& app, std::string_view what) const {
  services.logs.append(app, {services.clock.now(), "app", "api",
                             fmt::format("{} by user {}", what, caller.account.email)});
}

}  // namespace renga::api

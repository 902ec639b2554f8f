#include "router/affinity.h"

#include "base/text.h"
#include "crypto/digest.h"

namespace renga::router {

namespace {
constexpr std::string_view name = "heroku-session-affinity";
constexpr std::size_t digits = 32;
}  // namespace

std::string affinity_of(std::string_view dyno) {
  return crypto::sha256("session affinity " + std::string(dyno)).substr(0, digits);
}

std::string_view affinity_in(const http::RequestHead& head) {
  if (!head.notes.known.has(http::Known::cookie)) return {};
  for (const auto& field : head.fields) {
    if (field.known != http::Known::cookie) continue;
    auto rest = field.value;
    while (!rest.empty()) {
      const auto end = rest.find(';');
      const auto pair = text::trim(rest.substr(0, end));
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
        return pair.substr(name.size() + 1);
      }
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }
  return {};
}

std::string affinity_cookie(std::string_view affinity) {
  return std::string(name).append("=").append(affinity).append(
      "; Version=1; Max-Age=86400; Path=/; HttpOnly");
}

}  // namespace renga::router

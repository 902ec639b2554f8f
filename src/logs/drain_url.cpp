#include "logs/drain_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "base/text.h"

namespace renga::logs {
namespace {

constexpr std::size_t longest = 2'000;
constexpr std::string_view mask = "****";

using Parts = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

struct Scheme {
  std::string_view name;
  DrainKind kind;
  bool tls;
  int port;
};
constexpr Scheme schemes[] = {
    {"https", DrainKind::http, true, 443},
    {"http", DrainKind::http, false, 80},
    {"syslog+tls", DrainKind::syslog, true, 6514},
    {"syslog", DrainKind::syslog, false, 601},
};

std::string part(CURLU* parts, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(parts, which, &text, 0) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

Result<DrainUrl> DrainUrl::parse(std::string_view given) {
  // The URL itself is not said again: it may hold a password.
  const auto refuse = [](std::string_view why) {
    return fail(Kind::invalid, "This drain URL cannot be used: " + std::string(why));
  };
  if (given.size() > longest) return refuse("it is longer than 2000 bytes.");
  if (std::ranges::any_of(given, [](unsigned char c) { return c <= ' ' || c >= 0x7f; }))
    return refuse("it has a space, a control character or a letter that is not ASCII in it.");
  const auto colon = given.find("://");
  const auto name = text::lower(given.substr(0, colon));
  const auto* scheme = std::ranges::find(schemes, name, &Scheme::name);
  if (colon == std::string_view::npos || scheme == std::end(schemes))
    return refuse("it must begin with https://, http://, syslog+tls:// or syslog://.");

  // Read by the same parser that will connect, so that both see the same host.
  const Parts parts(curl_url(), &curl_url_cleanup);
  const auto as_http = "http" + std::string(given.substr(colon));
  if (!parts || curl_url_set(parts.get(), CURLUPART_URL, as_http.c_str(), 0) != CURLUE_OK)
    return refuse("it is not well-formed.");
  DrainUrl url{scheme->kind, scheme->tls, part(parts.get(), CURLUPART_HOST), scheme->port,
               std::string(given)};
  if (url.host.empty()) return refuse("it names no host.");
  if (const auto port = part(parts.get(), CURLUPART_PORT); !port.empty()) {
    const auto number = text::number(port);
    if (!number || *number < 1 || *number > 65'535) return refuse("its port is not a port.");
    url.port = static_cast<int>(*number);
  }
  if (url.kind == DrainKind::syslog) {
    const auto path = part(parts.get(), CURLUPART_PATH);
    if (!(path.empty() || path == "/") || !part(parts.get(), CURLUPART_QUERY).empty() ||
        !part(parts.get(), CURLUPART_USER).empty() ||
        !part(parts.get(), CURLUPART_FRAGMENT).empty())
      return refuse("syslog has a host and a port, and no user, path or query.");
  }
  return url;
}

std::string DrainUrl::to_connect() const {
  if (kind == DrainKind::http) return text;
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

std::string shown(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(mask);
  std::string result(url.substr(0, scheme + 3));
  auto rest = url.substr(scheme + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(authority.size());
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto [user, password] = text::split_once(authority.substr(0, at), ':');
    if (!password.empty()) (result += user) += ':';
    ((result += mask) += '@') += authority.substr(at + 1);
  } else {
    result += authority;
  }
  const auto query = rest.find('?');
  result += rest.substr(0, query);
  if (query == std::string_view::npos) return result;
  char before = '?';
  for (const auto pair : text::split(rest.substr(query + 1), '&')) {
    const auto equals = pair.find('=');
    result += before;
    if (equals != std::string_view::npos) result += pair.substr(0, equals + 1);
    result += mask;
    before = '&';
  }
  return result;
}

}  // namespace renga::logs

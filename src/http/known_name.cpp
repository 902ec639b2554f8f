#include "http/known_name.h"

#include <algorithm>

#include "http/field_name.h"

namespace renga::http::detail {

namespace {

// Those that a client must not be able to set, also not as X_Request_Id: what a server makes of
// names as CGI does it (WSGI, Rack) has one spelling for both.
constexpr KnownSet ours = {
    Known::connection,
    Known::content_length,
    Known::host,
    Known::proxy,
    Known::transfer_encoding,
    Known::upgrade,
    Known::via,
    Known::x_forwarded_for,
    Known::x_forwarded_host,
    Known::x_forwarded_port,
    Known::x_forwarded_proto,
    Known::x_request_id,
    Known::x_request_start,
};

bool is_alias(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return false;
  return std::any_of(known_names.begin(), known_names.end(), [&](const KnownName& own) {
    return ours.has(own.known) && name.size() == own.text.size() &&
           std::equal(name.begin(), name.end(), own.text.begin(), [](char sent, char lower) {
             const char c = sent >= 'A' && sent <= 'Z' ? static_cast<char>(sent + 32) : sent;
             return (c == '_' ? '-' : c) == lower;
           });
  });
}

Known spelt_rightly(std::string_view name) {
  const auto either = [&](bool is_first, Known first, bool is_second, Known second) {
    return is_first ? first : is_second ? second : Known::other;
  };
  switch (name.size()) {
    case 2:
      return named<"te">(name) ? Known::te : Known::other;
    case 3:
      return named<"via">(name) ? Known::via : Known::other;
    case 4:
      return either(named<"host">(name), Known::host, named<"date">(name), Known::date);
    case 5:
      return named<"proxy">(name) ? Known::proxy : Known::other;
    case 6:
      if (named<"cookie">(name)) return Known::cookie;
      return either(named<"server">(name), Known::server, named<"expect">(name), Known::expect);
    case 7:
      return either(named<"upgrade">(name), Known::upgrade, named<"trailer">(name), Known::trailer);
    case 10:
      if (named<"connection">(name)) return Known::connection;
      return either(named<"set-cookie">(name), Known::set_cookie, named<"keep-alive">(name),
                    Known::keep_alive);
    case 12:
      return named<"x-request-id">(name) ? Known::x_request_id : Known::other;
    case 14:
      return either(named<"content-length">(name), Known::content_length,
                    named<"http2-settings">(name), Known::http2_settings);
    case 15:
      return either(named<"x-forwarded-for">(name), Known::x_forwarded_for,
                    named<"x-request-start">(name), Known::x_request_start);
    case 16:
      if (named<"x-forwarded-host">(name)) return Known::x_forwarded_host;
      return either(named<"x-forwarded-port">(name), Known::x_forwarded_port,
                    named<"proxy-connection">(name), Known::proxy_connection);
    case 17:
      return either(named<"transfer-encoding">(name), Known::transfer_encoding,
                    named<"x-forwarded-proto">(name), Known::x_forwarded_proto);
    case 19:
      return named<"proxy-authorization">(name) ? Known::proxy_authorization : Known::other;
    default:
      return Known::other;
  }
}

}  // namespace

Known look_up(std::string_view name) {
  const auto known = spelt_rightly(name);
  return known == Known::other && is_alias(name) ? Known::alias : known;
}

}  // namespace renga::http::detail

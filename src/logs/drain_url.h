// The URL of a log drain: what is accepted, what of it is secret.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::logs {

enum class DrainKind { http, syslog };

struct DrainUrl {
  DrainKind kind = DrainKind::http;
  bool tls = false;
  std::string host;  // a name or an address; IPv6 in brackets
  int port = 0;      // 443, 80, 6514 and 601 when the URL has none
  std::string text;  // as it was given
  // For libcurl. Syslog: only host and port are used, for the connection.
  std::string to_connect() const;

  // Kind::invalid: not https://, http://, syslog+tls:// or syslog://HOST, or longer than 2,000
  // bytes, or with control characters or spaces in it.
  static Result<DrainUrl> parse(std::string_view text);
};

// As people and logs see it: the password (or, without one, the user name, which is a token then)
// and the values of the query are written as ****.
std::string shown(std::string_view url);

}  // namespace renga::logs

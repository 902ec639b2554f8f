// Session affinity: with the feature http-session-affinity a cookie brings a client back to the
// dyno that served it first, for as long as that dyno is up. Pure.
#pragma once

#include <string>
#include <string_view>

#include "http/parser.h"

namespace renga::router {

// What the cookie says for this dyno. It tells nobody anything about the dyno.
std::string affinity_of(std::string_view dyno);
// What the client's cookie says; empty: it brings none.
std::string_view affinity_in(const http::RequestHead& head);
// The value of Set-Cookie that pins a client for a day.
std::string affinity_cookie(std::string_view affinity);

}  // namespace renga::router

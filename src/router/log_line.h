// The router's log line, one per request, when it ends:
//   at=info method=GET path="/" host=shop.example.com request_id=… fwd="203.0.113.9" dyno=web.1
//   connect=0ms service=12ms status=200 bytes=1834 protocol=http1.1 tls=true tls_version=tls1.3
// A value that is not known is empty; its key is there all the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/parser.h"
#include "router/h_codes.h"

namespace renga::router {

// The part that is known when the request arrives: method= to fwd=. `head` may be what was
// understood of a refused one.
void write_log_request(std::string& out, const http::RequestHead& head, std::string_view request_id,
                       std::string_view client_ip);

struct LogOutcome {
  const HCode* code = nullptr;  // none: at=info
  std::string_view cause;       // of H26
  std::string_view agent;       // of H31
  std::string_view dyno;
  std::int64_t connect_ms = -1;  // negative: never got there
  std::int64_t service_ms = -1;
  int status = 0;
  std::uint64_t bytes = 0;
  std::string_view protocol = "http1.1";
  std::string_view tls_version;  // "tls1.3"; empty: no TLS
};
void write_log_line(std::string& out, std::string_view request, const LogOutcome& outcome);

}  // namespace renga::router

#include "router/log_line.h"

#include <fmt/format.h>

#include "router/forwarding.h"

namespace renga::router {

namespace {

// Keeps a client's bytes from ending the quotes or moving the reader's cursor.
void write_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"') {
      out += "%22";
    } else {
      out += c >= 0x20 && c < 0x7f ? c : '?';
    }
  }
  out += '"';
}

void write_ms(std::string& out, std::string_view key, std::int64_t ms) {
  out.append(key);
  if (ms >= 0) out.append(fmt::format_int(ms).c_str()).append("ms");
}

}  // namespace

void write_log_request(std::string& out, const http::RequestHead& head, std::string_view request_id,
                       std::string_view client_ip) {
  out.append("method=").append(head.method).append(" path=");
  write_quoted(out, head.target);
  out.append(" host=").append(http::without_port(head.host));
  out.append(" request_id=").append(request_id).append(" fwd=");
  std::string forwarded;
  write_forwarded_for(forwarded, head, client_ip);
  write_quoted(out, forwarded);
}

void write_log_line(std::string& out, std::string_view request, const LogOutcome& outcome) {
  if (const auto* code = outcome.code; code != nullptr) {
    if (!code->sock.empty()) out.append("sock=").append(code->sock).append(" ");
    out.append("at=").append(code->at).append(" code=").append(code->code);
    out.append(" desc=\"").append(code->desc).append("\" ");
    if (!outcome.cause.empty()) out.append("cause=\"").append(outcome.cause).append("\" ");
  } else {
    out.append("at=info ");
  }
  out.append(request).append(" dyno=").append(outcome.dyno);
  write_ms(out, " connect=", outcome.connect_ms);
  write_ms(out, " service=", outcome.service_ms);
  out.append(" status=");
  if (outcome.status > 0) out.append(fmt::format_int(outcome.status).c_str());
  out.append(" bytes=").append(fmt::format_int(outcome.bytes).c_str());
  out.append(" protocol=").append(outcome.protocol);
  if (outcome.tls_version.empty()) {
    out.append(" tls=false");
  } else {
    out.append(" tls=true tls_version=").append(outcome.tls_version);
  }
}

}  // namespace renga::router

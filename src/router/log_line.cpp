#include "router/log_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "router/forwarding.h"

namespace renga::router {

namespace {

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"'; }

// Keeps a client's bytes from ending the quotes or moving the reader's cursor.
void write_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.end(), is_plain) - text.begin());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    out.append(text.front() == '"' ? "%22" : "?");
    text.remove_prefix(1);
  }
  out += '"';
}

void write_number(std::string& out, std::uint64_t number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

void write_ms(std::string& out, std::string_view key, std::int64_t ms) {
  out.append(key);
  if (ms < 0) return;
  write_number(out, static_cast<std::uint64_t>(ms));
  out.append("ms");
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
    if (!outcome.agent.empty()) {
      out.append("agent=");
      write_quoted(out, outcome.agent);
      out += ' ';
    }
  } else {
    out.append("at=info ");
  }
  out.append(request).append(" dyno=").append(outcome.dyno);
  write_ms(out, " connect=", outcome.connect_ms);
  write_ms(out, " service=", outcome.service_ms);
  out.append(" status=");
  if (outcome.status > 0) write_number(out, static_cast<std::uint64_t>(outcome.status));
  out.append(" bytes=");
  write_number(out, outcome.bytes);
  out.append(" protocol=").append(outcome.protocol);
  if (outcome.tls_version.empty()) {
    out.append(" tls=false");
  } else {
    out.append(" tls=true tls_version=").append(outcome.tls_version);
  }
}

}  // namespace renga::router

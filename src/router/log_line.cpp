#include "router/log_line.h"

#include "router/forwarding.h"
#include "router/text_writer.h"

namespace renga::router {

namespace {

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"'; }

// Keeps a client's bytes from ending the quotes or moving the reader's cursor.
void put_quoted(TextWriter& out, std::string_view text) {
  out.put("\"");
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.put(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    out.put(text.front() == '"' ? std::string_view("%22") : std::string_view("?"));
    text.remove_prefix(1);
  }
  out.put("\"");
}

// A parsed one has nothing else that put_quoted() would change.
void put_target(TextWriter& out, std::string_view target) {
  if (target.find('"') != std::string_view::npos) return put_quoted(out, target);
  out.put("\"", target, "\"");
}

void put_ms(TextWriter& out, std::int64_t ms) {
  if (ms < 0) return;
  out.number(ms);
  out.put("ms");
}

constexpr std::size_t room_for_keys = 256;

}  // namespace

void write_log_request(std::string& text, const http::RequestHead& head,
                       std::string_view request_id, std::string_view client_ip) {
  TextWriter out(text, head.target.size() + head.host.size() + room_for_keys);
  out.put("method=", head.method, " path=");
  put_target(out, head.target);
  out.put(" host=", http::without_port(head.host), " request_id=", request_id, " fwd=");
  if (!head.notes.known.has(http::Known::x_forwarded_for)) {
    out.put("\"", client_ip, "\"");
    return;
  }
  std::string list;
  write_forwarded_for(list, head, client_ip);
  put_quoted(out, list);
}

void write_log_line(std::string& text, std::string_view request, const LogOutcome& outcome) {
  TextWriter out(text, request.size() + room_for_keys);
  if (const auto* code = outcome.code; code != nullptr) {
    if (!code->sock.empty()) out.put("sock=", code->sock, " ");
    out.put("at=", code->at, " code=", code->code, " desc=\"", code->desc, "\" ");
    if (!outcome.cause.empty()) out.put("cause=\"", outcome.cause, "\" ");
    if (!outcome.agent.empty()) {
      out.put("agent=");
      put_quoted(out, outcome.agent);
      out.put(" ");
    }
  } else {
    out.put("at=info ");
  }
  out.put(request, " dyno=", outcome.dyno, " connect=");
  put_ms(out, outcome.connect_ms);
  out.put(" service=");
  put_ms(out, outcome.service_ms);
  out.put(" status=");
  if (outcome.status > 0) out.number(outcome.status);
  out.put(" bytes=");
  out.number(static_cast<std::int64_t>(outcome.bytes));
  out.put(" protocol=", outcome.protocol);
  if (outcome.tls_version.empty()) {
    out.put(" tls=false");
  } else {
    out.put(" tls=true tls_version=", outcome.tls_version);
  }
}

}  // namespace renga::router

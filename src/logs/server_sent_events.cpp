#include "logs/server_sent_events.h"

#include "base/text.h"

namespace renga::logs::sse {

bool wanted(const http::Request& request) {
  return request.headers.value_or("Accept", "").find("text/event-stream") != std::string_view::npos;
}

std::optional<std::uint64_t> last_event_id(const http::Request& request) {
  const auto value = request.headers.find("Last-Event-ID");
  const auto number = value ? text::number(text::trim(*value)) : std::nullopt;
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

void append_event(std::string& out, std::optional<std::uint64_t> id, std::string_view text) {
  if (id) {
    out += "id: ";
    out += std::to_string(*id);
    out += '\n';
  }
  for (bool more = true; more;) {
    const auto end = text.find_first_of("\r\n");
    out += "data: ";
    out += text.substr(0, end);
    out += '\n';
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    more = more && !text.empty();
  }
  out += '\n';
}

http::Response response(bool events) {
  http::Response answer;
  answer.headers.set("Content-Type", events ? "text/event-stream" : "text/plain; charset=utf-8");
  answer.headers.set("Cache-Control", "no-cache");
  return answer;
}

}  // namespace renga::logs::sse

#include "logs/drain_frames.h"

#include <fmt/format.h>

namespace renga::logs {
namespace {

// Facility and severity, as Heroku has them.
int priority_of(const Line& line) {
  if (line.process == "router") return 158;                              // local3.info
  if (line.process == "logplex" && line.source == "heroku") return 172;  // local5.warning
  if (line.process == "api") return 134;                                 // local0.info
  return line.source == "heroku" ? 45 : 190;  // syslog.notice, local7.info
}

}  // namespace

void append_message(std::string& to, DrainKind kind, std::string_view token, const Line& line) {
  const bool syslog = kind == DrainKind::syslog;
  const auto head = fmt::format("<{}>1 {} {} {} {} {}", priority_of(line), rfc3339_micros(line.at),
                                syslog ? token : std::string_view("host"), line.source,
                                line.process, syslog ? "- - " : "- ");
  to += std::to_string(head.size() + line.message.size() + (syslog ? 1 : 0));
  to += ' ';
  to += head;
  to += line.message;
  if (syslog) to += '\n';
}

Line overflow_line(Time now, std::int64_t dropped, Time since) {
  return {now, "heroku", "logplex",
          fmt::format("Error L10 (output buffer overflow): {} messages dropped since {}+00:00.",
                      dropped, rfc3339(since).substr(0, 19))};
}

}  // namespace renga::logs

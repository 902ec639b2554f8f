#include "logs/drain_frames.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace renga::logs {
namespace {

// Facility and severity, as Heroku has them.
int priority_of(const LineView& line) {
  if (line.process == "router") return 158;                              // local3.info
  if (line.process == "logplex" && line.source == "heroku") return 172;  // local5.warning
  if (line.process == "api") return 134;                                 // local0.info
  return line.source == "heroku" ? 45 : 190;  // syslog.notice, local7.info
}

void append_number(std::string& to, std::size_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  to.append(digits.data(), end);
}

}  // namespace

void append_message(std::string& to, DrainKind kind, std::string_view token, const LineView& line,
                    TimeText& time) {
  const bool syslog = kind == DrainKind::syslog;
  const auto at = time.of(line.at);
  const std::string_view host = syslog ? token : std::string_view("host");
  const std::string_view none = syslog ? "- - " : "- ";
  const int priority = priority_of(line);
  const std::size_t digits = priority < 100 ? 2 : 3;
  // "<" priority ">1 ", and a space after each of the next four.
  const auto head = digits + 4 + at.size() + host.size() + line.source.size() +
                    line.process.size() + 4 + none.size();
  append_number(to, head + line.message.size() + (syslog ? 1 : 0));
  to += " <";
  append_number(to, static_cast<std::size_t>(priority));
  to += ">1 ";
  for (const auto word : {at, host, line.source, line.process}) {
    to += word;
    to += ' ';
  }
  to += none;
  to += line.message;
  if (syslog) to += '\n';
}

Line overflow_line(Time now, std::int64_t dropped, Time since) {
  return {now, "heroku", "logplex",
          fmt::format("Error L10 (output buffer overflow): {} messages dropped since {}+00:00.",
                      dropped, rfc3339(since).substr(0, 19))};
}

}  // namespace renga::logs

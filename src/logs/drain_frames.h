// What goes to a drain: RFC 5424 lines, octet-counted (RFC 6587, 3.4.1), as Heroku's Logplex writes
// them. Private to this room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "logs/drain_url.h"
#include "logs/line.h"

namespace renga::logs {

// One batch on its way: sent again, as it is, until it was taken or given up.
struct DrainFrame {
  std::string body;
  int messages = 0;
  std::uint64_t last_place = 0;  // of its last line
  std::int64_t dropped = 0;      // that its L10 speaks of
  std::string id;                // Logplex-Frame-Id: the same when it is sent again
  int tries = 0;
};

// "83 <190>1 2026-01-05T10:00:00.123456+00:00 host app web.1 - hello". Over syslog the host is the
// drain's token, there is a "-" for the structured data, and a line end.
void append_message(std::string& to, DrainKind kind, std::string_view token, const Line& line);

// The line by which a drain says what it lost.
Line overflow_line(Time now, std::int64_t dropped, Time since);

}  // namespace renga::logs

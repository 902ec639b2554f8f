// What goes to a drain: RFC 5424 lines, octet-counted (RFC 6587, 3.4.1), as Heroku's Logplex writes
// them. Private to this room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logs/drain_url.h"
#include "logs/line.h"
#include "logs/time_text.h"

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
void append_message(std::string& to, DrainKind kind, std::string_view token, const LineView& line,
                    TimeText& time);

// Messages that wait, as a frame has them, and where each one is: two pieces of memory for however
// many there are.
class DrainMessages {
 public:
  struct Mark {
    std::uint64_t place = 0;
    Time at;
    std::size_t end = 0;  // in the bytes
  };

  void add(DrainKind kind, std::string_view token, std::uint64_t place, const LineView& line) {
    append_message(bytes_, kind, token, line, time_);
    marks_.push_back({place, line.at, bytes_.size()});
  }
  bool empty() const { return taken_ == marks_.size(); }
  std::size_t size() const { return marks_.size() - taken_; }
  std::size_t bytes() const { return bytes_.size(); }

  // The oldest one: its mark, and its bytes, which are valid until something is added.
  const Mark& front() const { return marks_[taken_]; }
  std::string_view front_bytes() const {
    const auto begin = taken_ == 0 ? 0 : marks_[taken_ - 1].end;
    return std::string_view(bytes_).substr(begin, front().end - begin);
  }
  void pop_front() { ++taken_; }

 private:
  std::string bytes_;
  std::vector<Mark> marks_;
  std::size_t taken_ = 0;
  TimeText time_;
};

// The line by which a drain says what it lost.
Line overflow_line(Time now, std::int64_t dropped, Time since);

}  // namespace renga::logs

// TimeText: times as log lines have them. Quick when they come in order, as lines do: within a
// second only the microseconds are written anew. Private to this room.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace renga::logs {

class TimeText {
 public:
  // Valid until the next call.
  std::string_view of(Time at) {
    using namespace std::chrono;
    const auto second = floor<seconds>(at);
    if (text_.empty() || second != second_) {
      text_ = rfc3339_micros(at);
      second_ = second;
      return text_;
    }
    auto micros = duration_cast<microseconds>(at - second).count();
    for (auto digit = last_digit; digit > last_digit - 6; --digit, micros /= 10)
      text_[digit] = static_cast<char>('0' + micros % 10);
    return text_;
  }

 private:
  static constexpr std::size_t last_digit = 25;  // 2026-01-05T10:00:00.123456+00:00
  std::chrono::sys_seconds second_ = {};
  std::string text_;
};

}  // namespace renga::logs

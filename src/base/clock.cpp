#include "base/clock.h"

#include <fmt/format.h>

#include <cstdio>

namespace renga {
namespace {

struct Broken {
  int year;
  unsigned month, day;
  int hour, minute, second, micros;
};

Broken broken(Time time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count()),
          static_cast<int>(clock.subseconds().count())};
}

}  // namespace

Time SystemClock::now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

std::string rfc3339(Time time) {
  const auto b = broken(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", b.year, b.month, b.day, b.hour,
                     b.minute, b.second);
}

std::string rfc3339_micros(Time time) {
  const auto b = broken(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00", b.year, b.month, b.day,
                     b.hour, b.minute, b.second, b.micros);
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  const std::string copy(text);
  int year = 0, hour = 0, minute = 0, second = 0, used = 0;
  unsigned month = 0, day = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6 ||
      used != 19)
    return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60 || hour < 0 || minute < 0 || second < 0)
    return std::nullopt;

  auto rest = text.substr(19);
  std::int64_t micros = 0;
  if (rest.starts_with('.')) {
    std::size_t i = 1;
    std::int64_t unit = 100'000;
    for (; i < rest.size() && rest[i] >= '0' && rest[i] <= '9'; ++i, unit /= 10)
      micros += unit * (rest[i] - '0');
    if (i == 1) return std::nullopt;
    rest.remove_prefix(i);
  }

  int offset = 0;  // minutes east of UTC
  if (rest != "Z" && rest != "z") {
    int h = 0, m = 0;
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') ||
        std::sscanf(std::string(rest.substr(1)).c_str(), "%2d:%2d", &h, &m) != 2)
      return std::nullopt;
    offset = (rest[0] == '-' ? -1 : 1) * (h * 60 + m);
  }
  using namespace std::chrono;
  return Time(sys_days(date)) + hours(hour) + minutes(minute - offset) + seconds(second) +
         microseconds(micros);
}

}  // namespace renga

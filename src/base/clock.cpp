#include "base/clock.h"

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

// Log lines have a time each, so neither printf nor scanf.
void put(char* to, int digits, std::int64_t number) {
  for (to += digits; digits > 0; --digits, number /= 10)
    *--to = static_cast<char>('0' + number % 10);
}

std::string written(const Broken& b, std::string text) {
  put(&text[0], 4, b.year);
  put(&text[5], 2, b.month);
  put(&text[8], 2, b.day);
  put(&text[11], 2, b.hour);
  put(&text[14], 2, b.minute);
  put(&text[17], 2, b.second);
  return text;
}

// The number that the text says with exactly these digits; -1 when it says something else.
int digits(std::string_view text, std::size_t from, std::size_t count) {
  int number = 0;
  for (const char c : text.substr(from, count)) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

}  // namespace

Time SystemClock::now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

std::string rfc3339(Time time) { return written(broken(time), "0000-00-00T00:00:00Z"); }

std::string rfc3339_micros(Time time) {
  const auto b = broken(time);
  auto text = written(b, "0000-00-00T00:00:00.000000+00:00");
  put(&text[20], 6, b.micros);
  return text;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;

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
    if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':')
      return std::nullopt;
    const int h = digits(rest, 1, 2), m = digits(rest, 4, 2);
    if (h < 0 || m < 0) return std::nullopt;
    offset = (rest[0] == '-' ? -1 : 1) * (h * 60 + m);
  }
  using namespace std::chrono;
  return Time(sys_days(date)) + hours(hour) + minutes(minute - offset) + seconds(second) +
         microseconds(micros);
}

}  // namespace renga

// Line: one log line of an app, whoever said it. A value. LineView: the same, lying somewhere else.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace renga::logs {

// Whoever is handed one keeps nothing of it beyond the call.
struct LineView {
  Time at;
  std::string_view source, process, message;
  bool operator==(const LineView&) const = default;
};

struct Line {
  Time at;
  std::string source;  // "app" (the app's own output, and what people did), "heroku" (the platform)
  std::string process;  // "web.1", "router", "api", "release.4711"
  std::string message;  // no line end; at most 10,000 bytes
  bool operator==(const Line&) const = default;
  operator LineView() const { return {at, source, process, message}; }
};
Line copy_of(const LineView& line);

// "2026-01-05T10:00:00.123456+00:00 app[web.1]: hello": as tails and files have it.
std::string format(const LineView& line);
// The reverse, a view of the text; nothing for a text that is no such line.
std::optional<LineView> parse(std::string_view text);

// A message as the lines it makes: cut at its line ends, and into pieces of at most 10,000 bytes,
// of which none ends inside a UTF-8 character. Never empty: an empty message is one empty line.
std::vector<std::string_view> cut(std::string_view message);
// Whether it is one line already, as nearly all are.
bool is_one_line(std::string_view message);

}  // namespace renga::logs

// Reading the API's answers: the value at a dotted path, as text or as a number, and none too many
// checks.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace renga::cli {

// "user.email" of an object; empty when there is no such text. Numbers and booleans are written
// out.
std::string text_at(const boost::json::value& value, std::string_view path);
std::int64_t number_at(const boost::json::value& value, std::string_view path);
bool flag_at(const boost::json::value& value, std::string_view path);

// The config vars of an answer.
std::map<std::string, std::string> vars_in(const boost::json::value& value);

// Rows in columns as wide as they need to be, two spaces apart, no spaces at line ends.
std::string columns(const std::vector<std::vector<std::string>>& rows);

// JSON with two spaces of indentation and an end of line.
std::string pretty(const boost::json::value& value);

// "2026-01-05T10:00:00Z" as "2026/01/05 10:00:00 +0000 (~ 3h ago)".
std::string when(const std::string& timestamp);

}  // namespace renga::cli

#include "cli/answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

const json::value* find(const json::value& value, std::string_view path) {
  const json::value* at = &value;
  for (const auto part : text::split(path, '.')) {
    if (!at->is_object()) return nullptr;
    at = at->as_object().if_contains(part);
    if (!at) return nullptr;
  }
  return at;
}

void write(const json::value& value, std::string& out, std::size_t depth) {
  const std::string indent((depth + 1) * 2, ' ');
  const auto open = [&](char bracket, bool empty) {
    out += bracket;
    if (!empty) out += '\n';
  };
  const auto close = [&](char bracket, bool empty) {
    if (!empty) out += '\n' + std::string(depth * 2, ' ');
    out += bracket;
  };
  if (value.is_object()) {
    const auto& object = value.as_object();
    open('{', object.empty());
    for (auto it = object.begin(); it != object.end(); ++it) {
      if (it != object.begin()) out += ",\n";
      out += indent + json::serialize(json::value(it->key())) + ": ";
      write(it->value(), out, depth + 1);
    }
    close('}', object.empty());
  } else if (value.is_array()) {
    const auto& array = value.as_array();
    open('[', array.empty());
    for (auto it = array.begin(); it != array.end(); ++it) {
      if (it != array.begin()) out += ",\n";
      out += indent;
      write(*it, out, depth + 1);
    }
    close(']', array.empty());
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string text_at(const json::value& value, std::string_view path) {
  const auto* at = find(value, path);
  if (!at || at->is_null()) return {};
  return at->is_string() ? std::string(at->as_string()) : json::serialize(*at);
}

std::int64_t number_at(const json::value& value, std::string_view path) {
  const auto* at = find(value, path);
  return at && at->is_int64() ? at->as_int64() : 0;
}

bool flag_at(const json::value& value, std::string_view path) {
  const auto* at = find(value, path);
  return at && at->is_bool() && at->as_bool();
}

std::map<std::string, std::string> vars_in(const json::value& value) {
  std::map<std::string, std::string> vars;
  for (const auto& [name, one] : value.as_object())
    if (one.is_string()) vars[std::string(name)] = std::string(one.as_string());
  return vars;
}

std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += i + 1 < row.size() ? fmt::format("{:{}}  ", row[i], widths[i]) : row[i];
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string pretty(const json::value& value) {
  std::string out;
  write(value, out, 0);
  return out + "\n";
}

std::string when(const std::string& timestamp) {
  const auto time = parse_rfc3339(timestamp);
  if (!time) return timestamp;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now() - *time).count();
  const auto ago = seconds < 60      ? fmt::format("{}s", std::max<std::int64_t>(seconds, 0))
                   : seconds < 3600  ? fmt::format("{}m", seconds / 60)
                   : seconds < 86400 ? fmt::format("{}h", seconds / 3600)
                                     : fmt::format("{}d", seconds / 86400);
  auto text = rfc3339(*time);
  return fmt::format("{}/{}/{} {} +0000 (~ {} ago)", text.substr(0, 4), text.substr(5, 2),
                     text.substr(8, 2), text.substr(11, 8), ago);
}

}  // namespace renga::cli

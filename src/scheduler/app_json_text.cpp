#include "scheduler/app_json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace renga::scheduler {
namespace json = boost::json;

namespace {

constexpr std::size_t most_bytes = 64 * 1024;
constexpr std::size_t deepest = 20;

// Where a parser that is fed piece by piece stops, which the one for whole texts does not tell.
std::size_t line_of_error(std::string_view text, const json::parse_options& options) {
  json::stream_parser parser({}, options);
  json::error_code error;
  const auto read = parser.write_some(text.data(), text.size(), error);
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, read), '\n'));
}

}  // namespace

Result<json::object> app_json_object(std::string_view text) {
  if (text.size() > most_bytes) return fail(Kind::invalid, "app.json is larger than 64 KiB.");
  json::error_code error;
  json::parse_options options;
  options.max_depth = deepest;
  auto value = json::parse(text, error, {}, options);
  if (error)
    return fail(Kind::invalid, fmt::format("app.json, line {}: not valid JSON: {}.",
                                           line_of_error(text, options), error.message()));
  if (!value.is_object()) return fail(Kind::invalid, "app.json must be one JSON object.");
  return std::move(value.get_object());
}

}  // namespace renga::scheduler

// The JSON of a request, and polite questions to it: a missing or null member is nothing, one of
// the wrong type is refused by name.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::api {

namespace json = boost::json;

// An empty body is an empty object. Kind::bad_request: not JSON, or not an object.
Result<json::object> parse_body(std::string_view body);

Result<std::optional<std::string>> text_in(const json::object& object, std::string_view key);
Result<std::optional<bool>> flag_in(const json::object& object, std::string_view key);
// A number, or text that reads as one.
Result<std::optional<std::int64_t>> number_in(const json::object& object, std::string_view key);
// Null when there is none; lives as long as the object.
Result<const json::object*> object_in(const json::object& object, std::string_view key);
Result<const json::array*> array_in(const json::object& object, std::string_view key);

// Kind::invalid when it is missing or empty.
Result<std::string> required_text(const json::object& object, std::string_view key);

// "web", {"name": "web"} or {"id": "…"}: the ways in which clients name a thing.
Result<std::optional<std::string>> identity_in(const json::object& object, std::string_view key);

}  // namespace renga::api

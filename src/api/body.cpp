#include "api/body.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"

namespace renga::api {
namespace {

const json::value* member(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::unexpected<Error> must_be(std::string_view key, std::string_view what) {
  return fail(Kind::invalid, fmt::format("`{}` must be {}.", key, what));
}

}  // namespace

Result<json::object> parse_body(std::string_view body) {
  if (text::trim(body).empty()) return json::object();
  boost::system::error_code error;
  auto value = json::parse(body, error);
  if (error)
    return fail(Kind::bad_request,
                fmt::format("The request's body is not valid JSON ({}). Send one JSON object.",
                            error.message()));
  if (!value.is_object())
    return fail(Kind::bad_request,
                "The request's body is JSON, but not an object. Send one JSON object, as in "
                "{\"name\": \"example\"}.");
  return std::move(value.as_object());
}

Result<std::optional<std::string>> text_in(const json::object& object, std::string_view key) {
  const auto* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return must_be(key, "a string");
  return std::string(value->get_string());
}

Result<std::optional<bool>> flag_in(const json::object& object, std::string_view key) {
  const auto* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  // Some clients have 0 and 1 for it.
  if (value->is_int64() && (value->get_int64() == 0 || value->get_int64() == 1))
    return value->get_int64() == 1;
  if (!value->is_bool()) return must_be(key, "true or false");
  return value->get_bool();
}

Result<std::optional<std::int64_t>> number_in(const json::object& object, std::string_view key) {
  const auto* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_string())
    if (const auto number = text::number(value->get_string())) return number;
  return must_be(key, "a whole number");
}

Result<const json::object*> object_in(const json::object& object, std::string_view key) {
  const auto* value = member(object, key);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) return must_be(key, "an object");
  return &value->get_object();
}

Result<const json::array*> array_in(const json::object& object, std::string_view key) {
  const auto* value = member(object, key);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) return must_be(key, "an array");
  return &value->get_array();
}

Result<std::string> required_text(const json::object& object, std::string_view key) {
  auto value = TRY(text_in(object, key));
  if (!value || value->empty()) return fail(Kind::invalid, fmt::format("`{}` is required.", key));
  return *std::move(value);
}

Result<std::optional<std::string>> identity_in(const json::object& object, std::string_view key) {
  const auto* value = member(object, key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_object()) {
    for (const auto* name : {"id", "name", "email"}) {
      const auto inner = TRY(text_in(value->get_object(), name));
      if (inner) return inner;
    }
  }
  return must_be(key, "a name or an id");
}

}  // namespace renga::api

// Answer: what a resource's handler gives back, before it becomes an HTTP response.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "http/message.h"

namespace renga::api {

namespace json = boost::json;

struct Answer {
  int status = 200;
  json::value body;  // an object or an array
  http::Headers headers;
  std::optional<http::Response> whole;  // sent as it is instead: streams and git
};

inline Answer ok(json::value body) { return Answer{200, std::move(body), {}, {}}; }
inline Answer created(json::value body) { return Answer{201, std::move(body), {}, {}}; }
// Heard, and on its way: what a restart or a stop answers.
inline Answer accepted() { return Answer{202, json::object(), {}, {}}; }

// {"id", "message"} with the status of its kind. `resource` tells some clients what was not found.
Answer refusal(const Error& error, std::string_view resource = {});
Answer refusal(int status, std::string_view id, std::string_view message);

}  // namespace renga::api

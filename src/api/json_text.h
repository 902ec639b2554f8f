// JSON as text on the wire: two spaces deep for people with curl, a line end behind it.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace renga::api {

// Bytes that are not UTF-8 (a commit's title may hold any) become U+FFFD: what leaves is always
// valid JSON.
std::string json_text(const boost::json::value& value);

}  // namespace renga::api

// app.json as text: one JSON object of at most 64 KiB, 20 levels deep. Private to those who read
// something of it.
#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "base/result.h"

namespace renga::scheduler {

// Kind::invalid: a sentence that names the line where it stops being JSON.
Result<boost::json::object> app_json_object(std::string_view text);

}  // namespace renga::scheduler

// Names of apps: which are allowed, and those made up for an app that was given none. Private to
// this room. Pure, but for the random choice.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::apps {

// 3 to 30 of a-z, 0-9 and '-', from a letter to a letter or digit. Kind::invalid.
Result<void> check_name(std::string_view name);

// An adjective, a noun and five digits: "guarded-island-32432". Not sure to be free.
std::string made_up_name();

}  // namespace renga::apps

// What a webhook may be, and how often one is tried. Private to this room. Kind::invalid: what is
// refused, and what there is instead.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::webhooks {

Result<void> check_url(std::string_view url);
// Each once, in order, with a space between.
Result<std::string> check_entities(std::vector<std::string> wanted);
Result<void> check_level(std::string_view level);
// A secret or an authorization; `what` is its name.
Result<void> check_secret(std::string_view what, const std::string& secret);

// Until the next attempt: 5 s, 10 s, 20 s, … an hour.
std::chrono::seconds pause_after(int attempts);

}  // namespace renga::webhooks

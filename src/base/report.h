// report(): the operator's own log, one line a call on standard error with the time and the part
// that speaks. For what happens to the platform; what happens to an app goes to that app's log
// instead. Never pass it a secret. Safe from any thread.
#pragma once

#include <string_view>

namespace renga {

void report(std::string_view part, std::string_view message);

}  // namespace renga

// Back-off: how long a dyno that crashed stays down. The first crash restarts at once; each further
// one in a row waits longer, after the table; who ran for a while starts over. Pure: all of it is
// arithmetic, and its two numbers live in the dyno's row, so that a restart of control forgives
// nobody.
#pragma once

#include <chrono>
#include <span>

#include "base/clock.h"

namespace renga::dynos {

struct BackOff {
  int crashes = 0;  // in a row
  Time retry_at;    // not before
  bool operator==(const BackOff&) const = default;
};

// After one more crash. `before`: crashes in a row until now; `ran`: how long it had been up this
// time; who was up for `forgiven_after` or longer has no past. `table`: see LocalEngineOptions.
BackOff after_crash(int before, Duration ran, Time now, std::span<const std::chrono::seconds> table,
                    std::chrono::seconds forgiven_after);

}  // namespace renga::dynos

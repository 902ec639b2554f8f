#include "dynos/engines/local/back_off.h"

#include <algorithm>

namespace renga::dynos {

BackOff after_crash(int before, Duration ran, Time now, std::span<const std::chrono::seconds> table,
                    std::chrono::seconds forgiven_after) {
  BackOff next;
  next.crashes = ran >= forgiven_after ? 1 : before + 1;
  next.retry_at = now;
  if (next.crashes > 1 && !table.empty()) {
    const auto step = std::min(static_cast<std::size_t>(next.crashes) - 2, table.size() - 1);
    next.retry_at += table[step];
  }
  return next;
}

}  // namespace renga::dynos

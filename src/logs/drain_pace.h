// DrainPace: for how long a drain gathers lines between two frames. A request costs about as much
// as a hundred lines, so where many drains are busy at once each waits for longer, and all together
// send no more than so many frames a second. Private to this room; the courier's thread.
#pragma once

#include <algorithm>
#include <chrono>

namespace renga::logs {

class DrainPace {
 public:
  explicit DrainPace(std::chrono::milliseconds shortest) : shortest_(shortest), gather_(shortest) {}

  // So many drains have lines under way, or had just now.
  void busy(std::size_t drains) {
    const std::chrono::milliseconds fair(drains * 1'000 / frames_a_second);
    gather_ = std::max(shortest_, std::min(fair, longest));
  }
  std::chrono::milliseconds gather() const { return gather_; }

 private:
  static constexpr std::size_t frames_a_second = 500;
  static constexpr std::chrono::milliseconds longest{4'000};

  const std::chrono::milliseconds shortest_;
  std::chrono::milliseconds gather_;
};

}  // namespace renga::logs

// A clock that moves only when a test says so.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace renga {

class FakeClock final : public Clock {
 public:
  // Starts at 2026-01-05T10:00:00Z.
  FakeClock() : micros_(1'767'607'200'000'000) {}

  Time now() override { return from_micros(micros_); }
  SteadyTime steady() override { return SteadyTime(Duration(micros_)); }
  void advance(Duration by) { micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace renga

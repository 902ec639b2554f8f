// RateBuckets: a token bucket per caller. In memory: a restart fills them. Safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/locked.h"

namespace renga::api {

class RateBuckets {
 public:
  RateBuckets(Clock& clock, double capacity, double refill_per_minute)
      : clock_(clock), capacity_(capacity), refill_per_minute_(refill_per_minute) {}

  // Takes one token. What is left, or nothing when there was none.
  std::optional<int> take(const std::string& caller);
  int remaining(const std::string& caller);

 private:
  struct Bucket {
    double tokens = 0;
    SteadyTime at;
  };
  Bucket& filled(std::unordered_map<std::string, Bucket>& buckets, const std::string& caller);

  Clock& clock_;
  const double capacity_;
  const double refill_per_minute_;
  Locked<std::unordered_map<std::string, Bucket>> buckets_;
};

}  // namespace renga::api

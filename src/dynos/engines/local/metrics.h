// What is made of a dyno's use of the machine: lines for its app's log, in Heroku's words
// (log-runtime-metrics), and points of its history. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dynos/dyno.h"
#include "dynos/usage.h"
#include "sandbox/freezer.h"

namespace renga::dynos {

// How many tasks ran or wanted to, damped as the kernel's own load average is.
struct LoadAverage {
  double one = 0, five = 0, fifteen = 0;  // minutes
  void sample(int runnable);              // every 20 s
};

// Of one dyno, since control has watched it.
class UsageMeter {
 public:
  // Every 20 s. With every third: what the minute was like.
  std::optional<UsagePoint> sample(const Dyno& dyno, const sandbox::Usage& usage,
                                   std::int64_t quota, Time at, SteadyTime now);
  const LoadAverage& load() const { return load_; }

 private:
  LoadAverage load_;
  UsagePoint most_;  // of this minute
  int samples_ = 0;
  std::optional<std::pair<SteadyTime, std::int64_t>> cpu_before_ = {};  // when, and how much
};

std::vector<std::string> metric_lines(const Dyno& dyno, const LoadAverage& load,
                                      const sandbox::Usage& usage, std::int64_t quota);

}  // namespace renga::dynos

// What a dyno's use of the machine looks like in its app's log, in Heroku's words
// (log-runtime-metrics). Pure.
#pragma once

#include <string>
#include <vector>

#include "dynos/dyno.h"
#include "sandbox/freezer.h"

namespace renga::dynos {

// How many tasks ran or wanted to, damped as the kernel's own load average is.
struct LoadAverage {
  double one = 0, five = 0, fifteen = 0;  // minutes
  void sample(int runnable);              // every 20 s
};

std::vector<std::string> metric_lines(const Dyno& dyno, const LoadAverage& load,
                                      const sandbox::Usage& usage, std::int64_t quota);

}  // namespace renga::dynos

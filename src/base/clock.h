// Time. Wall time is for what people see and the store keeps; steady time is for waiting. Both come
// from a Clock handed in at construction, so that tests advance time instead of sleeping.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace renga {

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<Duration>;  // UTC, microseconds
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() = 0;
  virtual SteadyTime steady() = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() override;
  SteadyTime steady() override;
};

inline std::int64_t to_micros(Time time) { return time.time_since_epoch().count(); }
inline Time from_micros(std::int64_t micros) { return Time(Duration(micros)); }

// "2026-01-05T10:00:00Z": the API's timestamps.
std::string rfc3339(Time time);
// "2026-01-05T10:00:00.123456+00:00": log lines.
std::string rfc3339_micros(Time time);
// Either of the two forms, with any offset.
std::optional<Time> parse_rfc3339(std::string_view text);

}  // namespace renga

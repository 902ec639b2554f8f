// What a plan of heroku-kafka gives. manifest.json lists the same names.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace renga::kafka {

struct Plan {
  std::string_view name;        // "basic-0"
  std::string_view title;       // "Basic 0"
  bool dedicated = false;       // a broker of its own
  std::int64_t capacity = 0;    // bytes of messages
  int topics = 0;               // 0: as many as partitions allow
  int partitions = 0;           // of all topics
  std::int64_t heap_bytes = 0;  // of the broker's JVM
  std::int64_t memory_bytes = 0;
};

inline constexpr std::int64_t megabyte = 1LL << 20, gigabyte = 1LL << 30;
// The broker that shared plans are on. What the JVM needs beside its heap is about 200 MB.
inline constexpr Plan shared_broker{"shared", "Shared", false,          0,
                                    0,        0,        384 * megabyte, 1024 * megabyte};
inline constexpr Plan plans[] = {
    {"basic-0", "Basic 0", false, 4 * gigabyte, 40, 120},
    {"basic-1", "Basic 1", false, 16 * gigabyte, 40, 240},
    {"basic-2", "Basic 2", false, 32 * gigabyte, 40, 240},
    {"standard-0", "Standard 0", true, 64 * gigabyte, 0, 1000, 512 * megabyte, 1 * gigabyte},
    {"standard-1", "Standard 1", true, 256 * gigabyte, 0, 2000, 1 * gigabyte, 2 * gigabyte},
    {"standard-2", "Standard 2", true, 512 * gigabyte, 0, 4000, 2 * gigabyte, 4 * gigabyte},
};

inline const Plan* find_plan(std::string_view name) {
  for (const auto& plan : plans)
    if (plan.name == name) return &plan;
  return nullptr;
}

// Of the messages in a topic.
using Retention = std::chrono::milliseconds;
inline constexpr Retention shortest_retention{std::chrono::hours(1)};
inline constexpr Retention default_retention{std::chrono::hours(24)};
inline constexpr Retention longest_shared_retention{std::chrono::hours(7 * 24)};
inline constexpr Retention longest_retention{std::chrono::hours(6 * 7 * 24)};
inline constexpr Retention longest(const Plan& plan) {
  return plan.dedicated ? longest_retention : longest_shared_retention;
}

}  // namespace renga::kafka

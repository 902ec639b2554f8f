// What a plan of heroku-redis gives. manifest.json lists the same names.
#pragma once

#include <cstdint>
#include <string_view>

namespace renga::redis {

struct Plan {
  std::string_view name, title;
  std::int64_t memory_bytes = 0;  // maxmemory
  int connections = 0;
  bool persistent = false;
};

inline constexpr std::int64_t megabyte = 1LL << 20;
inline constexpr Plan plans[] = {
    {"mini", "Mini", 25 * megabyte, 20, false},
    {"premium-0", "Premium 0", 50 * megabyte, 40, true},
    {"premium-1", "Premium 1", 100 * megabyte, 80, true},
    {"premium-2", "Premium 2", 250 * megabyte, 200, true},
    {"premium-3", "Premium 3", 500 * megabyte, 400, true},
    {"premium-5", "Premium 5", 1024 * megabyte, 1000, true},
};

inline const Plan* find_plan(std::string_view name) {
  for (const auto& plan : plans)
    if (plan.name == name) return &plan;
  return nullptr;
}

struct Policy {
  std::string_view name, meaning;
};
inline constexpr Policy policies[] = {
    {"noeviction", "return errors when memory limit is reached"},
    {"allkeys-lru", "evict keys trying to remove the less recently used keys first"},
    {"volatile-lru",
     "evict keys trying to remove the less recently used keys first, but only if the key has an "
     "expiry set"},
    {"allkeys-lfu", "evict keys trying to remove the less frequently used keys first"},
    {"volatile-lfu",
     "evict keys trying to remove the less frequently used keys first, but only if the key has an "
     "expiry set"},
    {"allkeys-random", "evict random keys"},
    {"volatile-random", "evict random keys, but only if the key has an expiry set"},
    {"volatile-ttl", "evict keys with the nearest expiry first"},
};

}  // namespace renga::redis

// What a plan of heroku-postgresql gives. manifest.json lists the same names.
#pragma once

#include <cstdint>
#include <string_view>

namespace renga::postgresql {

struct Plan {
  std::string_view name;   // "essential-0"
  std::string_view title;  // "Essential 0"
  bool dedicated = false;  // a server of its own
  int connections = 0;
  std::int64_t disk_bytes = 0;    // stated, and shown by pg:info
  std::int64_t memory_bytes = 0;  // of the server
};

inline constexpr std::int64_t gigabyte = 1LL << 30;
// The server that shared plans are on.
inline constexpr Plan shared_server{"shared", "Shared", false, 300, 0, gigabyte};
inline constexpr Plan plans[] = {
    {"essential-0", "Essential 0", false, 20, gigabyte, 0},
    {"essential-1", "Essential 1", false, 20, 10 * gigabyte, 0},
    {"essential-2", "Essential 2", false, 40, 32 * gigabyte, 0},
    {"standard-0", "Standard 0", true, 120, 64 * gigabyte, gigabyte},
    {"standard-2", "Standard 2", true, 400, 256 * gigabyte, 4 * gigabyte},
    {"standard-3", "Standard 3", true, 500, 512 * gigabyte, 8 * gigabyte},
};

inline const Plan* find_plan(std::string_view name) {
  for (const auto& plan : plans)
    if (plan.name == name) return &plan;
  return name == shared_server.name ? &shared_server : nullptr;
}

}  // namespace renga::postgresql

// UsageHistory: what every dyno used of the machine, a point a minute, for 24 hours. Files on disk,
// one an app and hour, a line a point: at most 25 files of an app, and what a kill cuts off is the
// last line. Safe from any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dynos/dyno.h"

namespace renga::dynos {

// One dyno's minute: memory is the most that was seen in it, the others are means.
struct UsagePoint {
  Time at;           // the minute's end
  std::string dyno;  // "web.1"
  Id<Dyno> id;
  std::int64_t rss_bytes = 0, cache_bytes = 0, swap_bytes = 0, quota_bytes = 0;
  double cpus = 0;  // 0.25: a quarter of one CPU
  double load = 0;  // tasks that ran or wanted to, over the last minute

  std::int64_t total_bytes() const { return rss_bytes + cache_bytes + swap_bytes; }
  bool operator==(const UsagePoint&) const = default;
};

class UsageHistory {
 public:
  static constexpr std::chrono::hours kept{24};

  UsageHistory(std::filesystem::path directory, Clock& clock)
      : directory_(std::move(directory)), clock_(clock) {}

  void add(const Id<apps::App>& app, const UsagePoint& point);
  // In the order of time.
  std::vector<UsagePoint> since(const Id<apps::App>& app, Time begin) const;
  void forget(const Id<apps::App>& app);

 private:
  void drop_old(const std::filesystem::path& of_app) const;

  std::filesystem::path directory_;
  Clock& clock_;
};

// Fewer points: of each dyno, one for every `step`, of those there are: memory is the most again.
std::vector<UsagePoint> thinned(const std::vector<UsagePoint>& points, Duration step);

}  // namespace renga::dynos

#include "dynos/engines/local/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace renga::dynos {
namespace {

constexpr double seconds_between = 20;
constexpr int samples_a_point = 3;

void damp(double& average, int now, double minutes) {
  const double kept = std::exp(-seconds_between / (60 * minutes));
  average = average * kept + now * (1 - kept);
}

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.2f}MB", static_cast<double>(bytes) / (1 << 20));
}

}  // namespace

void LoadAverage::sample(int runnable) {
  damp(one, runnable, 1);
  damp(five, runnable, 5);
  damp(fifteen, runnable, 15);
}

std::optional<UsagePoint> UsageMeter::sample(const Dyno& dyno, const sandbox::Usage& usage,
                                             std::int64_t quota, Time at, SteadyTime now) {
  load_.sample(usage.runnable_tasks);
  if (!cpu_before_) cpu_before_ = {now, usage.cpu_micros};
  UsagePoint seen;
  seen.rss_bytes = usage.rss_bytes;
  seen.cache_bytes = usage.cache_bytes;
  seen.swap_bytes = usage.swap_bytes;
  if (samples_ == 0 || seen.total_bytes() >= most_.total_bytes()) most_ = seen;
  if (++samples_ < samples_a_point) return std::nullopt;

  const auto [since, used] = *cpu_before_;
  const double passed = static_cast<double>((now - since).count());
  auto point = most_;
  point.at = at;
  point.dyno = dyno.name();
  point.id = dyno.id;
  point.quota_bytes = quota;
  // Never below nothing: the groups of a dyno that is started anew count from nothing.
  if (passed > 0) point.cpus = std::max(0.0, static_cast<double>(usage.cpu_micros - used) / passed);
  point.load = load_.one;
  cpu_before_ = {now, usage.cpu_micros};
  samples_ = 0;
  return point;
}

std::vector<std::string> metric_lines(const Dyno& dyno, const LoadAverage& load,
                                      const sandbox::Usage& usage, std::int64_t quota) {
  const auto source =
      fmt::format("source={} dyno=heroku.{}.{}", dyno.name(), dyno.app.value, dyno.id.value);
  return {
      fmt::format("{} sample#load_avg_1m={:.2f} sample#load_avg_5m={:.2f} "
                  "sample#load_avg_15m={:.2f}",
                  source, load.one, load.five, load.fifteen),
      fmt::format("{} sample#memory_total={} sample#memory_rss={} sample#memory_cache={} "
                  "sample#memory_swap={} sample#memory_pgpgin={}pages "
                  "sample#memory_pgpgout={}pages sample#memory_quota={}",
                  source, megabytes(usage.rss_bytes + usage.cache_bytes + usage.swap_bytes),
                  megabytes(usage.rss_bytes), megabytes(usage.cache_bytes),
                  megabytes(usage.swap_bytes), usage.pages_in, usage.pages_out, megabytes(quota))};
}

}  // namespace renga::dynos

#include "dynos/usage.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/id.h"
#include "base/text.h"
#include "os/file.h"

namespace renga::dynos {
namespace {

// Of an app's hour: 60 points of 200 dynos, with room.
constexpr std::size_t longest_file = 4u << 20;

std::int64_t hour_of(Time time) {
  return std::chrono::duration_cast<std::chrono::hours>(time.time_since_epoch()).count();
}

std::string line_of(const UsagePoint& point) {
  return fmt::format("{} {} {} {} {} {} {} {:.4f} {:.4f}\n", to_micros(point.at), point.dyno,
                     point.id.value, point.rss_bytes, point.cache_bytes, point.swap_bytes,
                     point.quota_bytes, point.cpus, point.load);
}

double real(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Nothing for a line that was cut off, or that another version wrote.
std::optional<UsagePoint> point_in(std::string_view line) {
  const auto fields = text::split(line, ' ');
  if (fields.size() != 9) return std::nullopt;
  const auto number = [&](std::size_t at) { return text::number(fields[at]).value_or(0); };
  UsagePoint point;
  point.at = from_micros(number(0));
  point.dyno = fields[1];
  point.id = Id<Dyno>{std::string(fields[2])};
  point.rss_bytes = number(3);
  point.cache_bytes = number(4);
  point.swap_bytes = number(5);
  point.quota_bytes = number(6);
  point.cpus = real(fields[7]);
  point.load = real(fields[8]);
  return point;
}

}  // namespace

void UsageHistory::add(const Id<apps::App>& app, const UsagePoint& point) {
  const auto of_app = directory_ / app.value;
  const auto file = of_app / std::to_string(hour_of(point.at));
  os::Fd open(::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!open) {
    std::filesystem::create_directories(of_app);
    drop_old(of_app);
    open = os::open_file(file, O_WRONLY | O_APPEND | O_CREAT, 0600);
  }
  os::write_all(open.get(), line_of(point), file.string());
}

std::vector<UsagePoint> UsageHistory::since(const Id<apps::App>& app, Time begin) const {
  std::vector<UsagePoint> points;
  const auto now = clock_.now();
  begin = std::max(begin, now - kept);
  for (auto hour = hour_of(begin); hour <= hour_of(now); ++hour) {
    const auto text = os::read_file(directory_ / app.value / std::to_string(hour), longest_file);
    if (!text) continue;
    for (const auto line : text::lines(*text))
      if (auto point = point_in(line); point && point->at >= begin)
        points.push_back(std::move(*point));
  }
  std::ranges::stable_sort(points, {}, &UsagePoint::at);
  return points;
}

void UsageHistory::forget(const Id<apps::App>& app) {
  if (!is_uuid(app.value)) return;  // it becomes a part of a path
  std::error_code ignored;
  std::filesystem::remove_all(directory_ / app.value, ignored);
}

void UsageHistory::drop_old(const std::filesystem::path& of_app) const {
  const auto oldest = hour_of(clock_.now() - kept);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(of_app, ignored))
    if (const auto hour = text::number(entry.path().filename().string()); !hour || *hour < oldest)
      std::filesystem::remove(entry.path(), ignored);
}

std::vector<UsagePoint> thinned(const std::vector<UsagePoint>& points, Duration step) {
  struct Sum {
    UsagePoint most;
    int count = 0;
  };
  std::map<std::pair<std::int64_t, std::string>, Sum> sums;
  for (const auto& point : points) {
    auto& sum = sums[{to_micros(point.at) / step.count(), point.id.value}];
    auto& most = sum.most;
    const double cpus = most.cpus + point.cpus, load = most.load + point.load;
    const auto at = std::max(most.at, point.at);
    if (sum.count == 0 || point.total_bytes() > most.total_bytes()) most = point;
    most.at = at;
    most.cpus = cpus;
    most.load = load;
    ++sum.count;
  }
  std::vector<UsagePoint> fewer;
  for (auto& [key, sum] : sums) {
    sum.most.cpus /= sum.count;
    sum.most.load /= sum.count;
    fewer.push_back(std::move(sum.most));
  }
  return fewer;
}

}  // namespace renga::dynos

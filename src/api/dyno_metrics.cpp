// Dyno metrics: what an app's dynos used of the machine in the last hours. renga's own; the names
// are those of log-runtime-metrics.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "api/handlers.h"
#include "base/text.h"

namespace renga::api {
namespace {

constexpr int points_an_answer = 60;  // of each dyno, unless `step` asks for more
constexpr std::chrono::seconds finest{60};

// A whole number of the query's.
Result<std::int64_t> asked(const std::map<std::string, std::string>& query, const char* name,
                           std::int64_t usual, std::int64_t least, std::int64_t most) {
  const auto found = query.find(name);
  if (found == query.end()) return usual;
  const auto number = text::number(found->second);
  if (!number || *number < least || *number > most)
    return fail(Kind::invalid,
                fmt::format("`{}` must be a number from {} to {}.", name, least, most));
  return *number;
}

json::object to_json(const dynos::UsagePoint& point) {
  return {
      {"at", rfc3339(point.at)},           {"cpu", point.cpus},
      {"load_avg_1m", point.load},         {"memory_cache", point.cache_bytes},
      {"memory_quota", point.quota_bytes}, {"memory_rss", point.rss_bytes},
      {"memory_swap", point.swap_bytes},   {"memory_total", point.total_bytes()},
  };
}

}  // namespace

Result<Answer> dyno_metrics(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  const auto query = text::query(call.request.query);
  const auto most_hours = std::int64_t{dynos::UsageHistory::kept.count()};
  const auto hours = TRY(asked(query, "hours", 1, 1, most_hours));
  const auto usual_step = hours * 3600 / points_an_answer;
  const std::chrono::seconds step(
      TRY(asked(query, "step", usual_step, finest.count(), most_hours * 3600)));

  auto points =
      call.services.usage.since(app.id, call.services.clock.now() - std::chrono::hours(hours));
  if (step > finest) points = dynos::thinned(points, step);
  // By name, and a dyno and its successor of the same name in the order of their lives.
  std::vector<json::object> dynos;
  std::map<std::string, std::size_t> known;
  for (const auto& point : points) {
    const auto [at, is_new] = known.emplace(point.id.value, dynos.size());
    if (is_new)
      dynos.push_back({{"id", point.id.value}, {"name", point.dyno}, {"points", json::array()}});
    dynos[at->second]["points"].as_array().push_back(to_json(point));
  }
  std::ranges::stable_sort(
      dynos, {}, [](const json::object& dyno) { return std::string(dyno.at("name").as_string()); });
  json::array array;
  for (auto& dyno : dynos) array.push_back(std::move(dyno));
  return ok(json::object{{"app", json::object{{"id", app.id.value}, {"name", app.name}}},
                         {"dynos", std::move(array)},
                         {"hours", hours},
                         {"step", step.count()}});
}

}  // namespace renga::api

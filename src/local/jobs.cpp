#include "local/jobs.h"

#include <algorithm>

namespace renga::local {

Jobs::Jobs(const std::vector<scheduler::Wish>& wishes, Time now) {
  for (const auto& wish : wishes) {
    auto schedule = scheduler::Schedule::parse(wish.schedule, wish.time_zone);
    if (!schedule) continue;
    const auto next = schedule->next(now);
    jobs_.push_back({"cron." + std::to_string(jobs_.size() + 1), wish, std::move(*schedule), next});
  }
}

std::optional<Duration> Jobs::sleep(Time now) const {
  std::optional<Duration> shortest;
  for (const auto& job : jobs_)
    if (job.next)
      shortest =
          std::min(shortest.value_or(Duration::max()), std::max(*job.next - now, Duration(0)));
  return shortest;
}

}  // namespace renga::local

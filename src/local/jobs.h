// Jobs: when the "cron" of app.json is due, on this machine's clock.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "scheduler/schedule.h"
#include "scheduler/wishes.h"

namespace renga::local {

class Jobs {
 public:
  static constexpr std::size_t most_queued = 10;  // runs of one job

  // What read_wishes() took; others are left out.
  Jobs(const std::vector<scheduler::Wish>& wishes, Time now);

  struct Job {
    std::string name;  // "cron.1"
    scheduler::Wish wish;
    scheduler::Schedule schedule;
    std::optional<Time> next;
    std::size_t queued = 0;
  };
  const std::vector<Job>& all() const { return jobs_; }

  // Until something is due; nothing: never.
  std::optional<Duration> sleep(Time now) const;

  struct Due {
    const Job* job;
    enum class What { run, skip, queue } what;
  };
  // What is due now, each once however often it was; `goes` says whether a job's last run still
  // does. Runs that were queued come when it no longer does.
  template <class Goes>
  std::vector<Due> reach(Time now, Goes goes) {
    std::vector<Due> due;
    for (auto& job : jobs_) {
      bool is_due = job.next && *job.next <= now;
      if (is_due) job.next = job.schedule.next(now);
      const bool busy = job.wish.overlap != scheduler::Overlap::allow && goes(job.name);
      if (is_due && busy && job.wish.overlap == scheduler::Overlap::queue &&
          job.queued < most_queued) {
        ++job.queued;
        due.push_back({&job, Due::What::queue});
      } else if (is_due && busy) {
        due.push_back({&job, Due::What::skip});
      } else if (is_due) {
        due.push_back({&job, Due::What::run});
      } else if (job.queued > 0 && !busy) {
        --job.queued;
        due.push_back({&job, Due::What::run});
      }
    }
    return due;
  }

 private:
  std::vector<Job> jobs_;
};

}  // namespace renga::local

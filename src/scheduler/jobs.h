// Jobs: what apps run at set times, and the history of their runs. Rows only: Scheduler acts on
// them. Calls block on the store and are safe from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/app.h"
#include "base/result.h"
#include "dynos/dyno.h"
#include "dynos/sizes.h"
#include "scheduler/schedule.h"
#include "store/database.h"

namespace renga::scheduler {

// What to do when a job is due while its last run still goes.
enum class Overlap { skip, queue, allow };
std::string_view name_of(Overlap overlap);
Result<Overlap> overlap_named(std::string_view name);

struct Job {
  Id<Job> id;
  Id<apps::App> app;
  std::string command;
  std::string schedule;   // as it was given
  std::string time_zone;  // "UTC"
  std::string size;       // of its dynos
  Overlap overlap = Overlap::skip;
  std::optional<Time> next_at;
  Time created_at;
  Time updated_at;
};

enum class RunState { waiting, starting, running, succeeded, failed, skipped };
std::string_view name_of(RunState state);

struct Run {
  Id<Run> id;
  Id<Job> job;
  Id<apps::App> app;
  std::optional<Time> due_at;  // nothing: by hand
  RunState state = RunState::waiting;
  Id<dynos::Dyno> dyno;
  std::string dyno_name;  // empty before it started
  std::string output;     // an output stream's id; empty when there is none
  std::optional<int> exit_status;
  std::string message;  // why it was skipped or failed
  Time created_at;
  std::optional<Time> started_at, ended_at;
};

// As asked for; empty leaves what is there (or the default).
struct JobChange {
  std::optional<std::string> command, schedule, time_zone, size;
  std::optional<Overlap> overlap;
};

class Jobs {
 public:
  static constexpr std::size_t most_jobs = 100;  // of one app
  static constexpr int runs_kept = 50;           // of one job, and those that still go

  // `sizes` is borrowed.
  Jobs(store::Database& database, Clock& clock, const dynos::Sizes& sizes = dynos::Sizes::usual())
      : database_(database), clock_(clock), sizes_(sizes) {}
  const dynos::Sizes& sizes() const { return sizes_; }
  // Called after jobs or runs changed, on the thread that did it.
  void on_change(std::function<void()> callback) { changed_ = std::move(callback); }

  std::vector<Job> all(const Id<apps::App>& app);
  Result<Job> find(const Id<apps::App>& app, std::string_view id);  // or what it begins with
  Result<Job> add(const Id<apps::App>& app, const JobChange& wanted);
  Result<Job> change(const Job& job, const JobChange& wanted);
  // What of it runs, runs on.
  void remove(const Job& job);

  Run run_now(const Job& job);
  std::vector<Run> runs(const Job& job);  // newest first
  Result<Run> find_run(const Job& job, std::string_view id);

  // For the scheduler.
  std::optional<Time> next_time();
  // In one transaction: a waiting run for each job that is due, and its next time. One run for a
  // job that was due more than once.
  void reach(Time now);
  std::vector<Run> in(RunState state);  // oldest first
  std::optional<Job> job_of(const Run& run);
  void update(const Run& run);
  // Takes away what is beyond runs_kept; their output streams' ids.
  std::vector<std::string> prune();

 private:
  Result<Job> checked(Job job, const JobChange& wanted);
  store::Database& database_;
  Clock& clock_;
  const dynos::Sizes& sizes_;
  std::function<void()> changed_ = [] {};
};

}  // namespace renga::scheduler

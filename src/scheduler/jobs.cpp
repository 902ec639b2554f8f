#include "scheduler/jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "dynos/sizes.h"

namespace renga::scheduler {
namespace {

constexpr std::size_t longest_command = 4'096;
constexpr std::string_view overlaps[] = {"skip", "queue", "allow"};
constexpr std::string_view states[] = {"waiting",   "starting", "running",
                                       "succeeded", "failed",   "skipped"};

template <class Enum, std::size_t n>
Enum named(const std::string_view (&names)[n], std::string_view name) {
  const auto found = std::ranges::find(names, name);
  return static_cast<Enum>(found == std::end(names) ? 0 : found - std::begin(names));
}

std::string job_select(std::string_view rest) {
  return "SELECT id, app, command, schedule, time_zone, size, overlap, next_at, created_at, "
         "updated_at FROM scheduler_jobs " +
         std::string(rest);
}
Job read_job(const store::Row& row) {
  return {row.id<Job>(0),
          row.id<apps::App>(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          named<Overlap>(overlaps, row.text(6)),
          row.maybe_time(7),
          row.time(8),
          row.time(9)};
}

std::string run_select(std::string_view rest) {
  return "SELECT r.id, r.job, j.app, r.due_at, r.state, r.dyno, r.dyno_name, r.output, "
         "r.exit_status, r.message, r.created_at, r.started_at, r.ended_at FROM scheduler_runs r "
         "JOIN scheduler_jobs j ON j.id = r.job " +
         std::string(rest);
}
Run read_run(const store::Row& row) {
  Run run;
  run.id = row.id<Run>(0);
  run.job = row.id<Job>(1);
  run.app = row.id<apps::App>(2);
  run.due_at = row.maybe_time(3);
  run.state = named<RunState>(states, row.text(4));
  run.dyno = row.id<dynos::Dyno>(5);
  run.dyno_name = row.text(6);
  run.output = row.text(7);
  if (const auto status = row.maybe_integer(8)) run.exit_status = static_cast<int>(*status);
  run.message = row.text(9);
  run.created_at = row.time(10);
  run.started_at = row.maybe_time(11);
  run.ended_at = row.maybe_time(12);
  return run;
}

// The last time at or before `now`, counted from one that is: a job that was due often while nobody
// looked is due once.
Time latest_due(const Schedule& schedule, Time due, Time now) {
  // From a day ago at most, so that a year away is not counted through minute by minute.
  if (now - due > std::chrono::hours(24))
    if (const auto later = schedule.next(now - std::chrono::hours(24)); later && *later <= now)
      due = *later;
  for (auto next = schedule.next(due); next && *next <= now; next = schedule.next(due)) due = *next;
  return due;
}

}  // namespace

std::string_view name_of(Overlap overlap) { return overlaps[static_cast<std::size_t>(overlap)]; }
std::string_view name_of(RunState state) { return states[static_cast<std::size_t>(state)]; }

Result<Overlap> overlap_named(std::string_view name) {
  if (std::ranges::find(overlaps, name) == std::end(overlaps))
    return fail(Kind::invalid,
                fmt::format("The overlap policy cannot be \"{}\": it is skip, queue or allow.",
                            text::printable(name)));
  return named<Overlap>(overlaps, name);
}

std::vector<Job> Jobs::all(const Id<apps::App>& app) {
  return database_.all(job_select("WHERE app = ? ORDER BY created_at, id"), read_job, app);
}

Result<Job> Jobs::find(const Id<apps::App>& app, std::string_view id) {
  std::optional<Job> found;
  for (auto& job : all(app)) {
    if (job.id.value == id) return job;
    if (id.size() < 4 || !job.id.value.starts_with(id)) continue;
    if (found) return fail(Kind::invalid, "Two jobs begin like that. Give more of the id.");
    found = std::move(job);
  }
  if (!found)
    return fail(Kind::not_found, fmt::format("Couldn't find the job {}. `schedule` lists those "
                                             "there are.",
                                             text::printable(id)));
  return *found;
}

Result<Job> Jobs::checked(Job job, const JobChange& wanted) {
  if (wanted.command) job.command = std::string(text::trim(*wanted.command));
  if (wanted.schedule) job.schedule = std::string(text::trim(*wanted.schedule));
  if (wanted.time_zone) job.time_zone = *wanted.time_zone;
  if (wanted.overlap) job.overlap = *wanted.overlap;
  if (wanted.size) {
    const auto* size = sizes_.find(*wanted.size);
    if (size == nullptr)
      return fail(Kind::invalid,
                  fmt::format("There is no dyno size {}.", text::printable(*wanted.size)));
    job.size = size->name;
  }
  if (job.command.empty()) return fail(Kind::invalid, "A job needs a command.");
  if (job.command.size() > longest_command || job.command.contains('\0'))
    return fail(Kind::invalid, "A job's command has at most 4096 bytes, and no zero byte.");
  const auto schedule = TRY(Schedule::parse(job.schedule, job.time_zone));
  job.updated_at = clock_.now();
  job.next_at = schedule.next(job.updated_at);
  if (!job.next_at)
    return fail(Kind::invalid, "This schedule is never due: no year has such a day.");
  return job;
}

Result<Job> Jobs::add(const Id<apps::App>& app, const JobChange& wanted) {
  Job job;
  job.id = Id<Job>::create();
  job.app = app;
  job.time_zone = "UTC";
  job.size = sizes_.standard().name;
  job.created_at = clock_.now();
  job = TRY(checked(std::move(job), wanted));
  {
    auto transaction = database_.begin();
    if (all(app).size() >= most_jobs)
      return fail(Kind::invalid, fmt::format("An app has at most {} jobs.", most_jobs));
    database_.run(
        "INSERT INTO scheduler_jobs (id, app, command, schedule, time_zone, size, overlap, "
        "next_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        job.id, app, job.command, job.schedule, job.time_zone, job.size, name_of(job.overlap),
        job.next_at, job.created_at, job.updated_at);
    transaction.commit();
  }
  changed_();
  return job;
}

Result<Job> Jobs::change(const Job& job, const JobChange& wanted) {
  const auto changed = TRY(checked(job, wanted));
  database_.run(
      "UPDATE scheduler_jobs SET command = ?, schedule = ?, time_zone = ?, size = ?, overlap = ?, "
      "next_at = ?, updated_at = ? WHERE id = ?",
      changed.command, changed.schedule, changed.time_zone, changed.size, name_of(changed.overlap),
      changed.next_at, changed.updated_at, job.id);
  changed_();
  return changed;
}

void Jobs::remove(const Job& job) {
  database_.run("DELETE FROM scheduler_jobs WHERE id = ?", job.id);
  changed_();
}

Run Jobs::run_now(const Job& job) {
  Run run;
  run.id = Id<Run>::create();
  run.job = job.id;
  run.app = job.app;
  run.dyno = Id<dynos::Dyno>::create();
  run.created_at = clock_.now();
  database_.run(
      "INSERT INTO scheduler_runs (id, job, due_at, state, dyno, dyno_name, output, message, "
      "created_at) VALUES (?, ?, NULL, 'waiting', ?, '', '', '', ?)",
      run.id, job.id, run.dyno, run.created_at);
  changed_();
  return run;
}

std::vector<Run> Jobs::runs(const Job& job) {
  return database_.all(run_select("WHERE r.job = ? ORDER BY r.created_at DESC, r.id"), read_run,
                       job.id);
}

Result<Run> Jobs::find_run(const Job& job, std::string_view id) {
  for (auto& run : runs(job))
    if (run.id.value == id || run.dyno_name == id ||
        (id.size() >= 4 && run.id.value.starts_with(id)))
      return run;
  return fail(Kind::not_found, fmt::format("Couldn't find the run {}.", text::printable(id)));
}

std::optional<Time> Jobs::next_time() {
  return database_
      .first("SELECT min(next_at) FROM scheduler_jobs",
             [](const store::Row& row) { return row.maybe_time(0); })
      .value_or(std::nullopt);
}

void Jobs::reach(Time now) {
  auto transaction = database_.begin();
  for (const auto& job :
       database_.all(job_select("WHERE next_at <= ? ORDER BY next_at"), read_job, now)) {
    const auto schedule = Schedule::parse(job.schedule, job.time_zone);
    // What was accepted once is refused now: a time zone that an update of tzdata took away.
    if (!schedule) {
      database_.run("UPDATE scheduler_jobs SET next_at = NULL WHERE id = ?", job.id);
      continue;
    }
    const auto due = latest_due(*schedule, *job.next_at, now);
    database_.run(
        "INSERT OR IGNORE INTO scheduler_runs (id, job, due_at, state, dyno, dyno_name, output, "
        "message, created_at) VALUES (?, ?, ?, 'waiting', ?, '', '', '', ?)",
        Id<Run>::create(), job.id, due, Id<dynos::Dyno>::create(), now);
    database_.run("UPDATE scheduler_jobs SET next_at = ? WHERE id = ?", schedule->next(now),
                  job.id);
  }
  transaction.commit();
}

std::vector<Run> Jobs::in(RunState state) {
  return database_.all(run_select("WHERE r.state = ? ORDER BY r.created_at, r.id"), read_run,
                       name_of(state));
}

std::optional<Job> Jobs::job_of(const Run& run) {
  return database_.first(job_select("WHERE id = ?"), read_job, run.job);
}

void Jobs::update(const Run& run) {
  database_.run(
      "UPDATE scheduler_runs SET state = ?, dyno_name = ?, output = ?, exit_status = ?, message = "
      "?, started_at = ?, ended_at = ? WHERE id = ?",
      name_of(run.state), run.dyno_name, run.output,
      run.exit_status ? store::Value(*run.exit_status) : store::Value(nullptr), run.message,
      run.started_at, run.ended_at, run.id);
}

std::vector<std::string> Jobs::prune() {
  auto transaction = database_.begin();
  const auto old = database_.all(
      "SELECT id, output FROM (SELECT id, output, state, row_number() OVER (PARTITION BY job "
      "ORDER BY created_at DESC) AS n FROM scheduler_runs) WHERE n > ? AND state IN "
      "('succeeded', 'failed', 'skipped')",
      [](const store::Row& row) { return std::pair(row.text(0), row.text(1)); }, runs_kept);
  std::vector<std::string> outputs;
  for (const auto& [id, output] : old) {
    database_.run("DELETE FROM scheduler_runs WHERE id = ?", id);
    if (!output.empty()) outputs.push_back(output);
  }
  transaction.commit();
  return outputs;
}

}  // namespace renga::scheduler

#include "scheduler/declared_jobs.h"

#include <algorithm>

#include "dynos/sizes.h"

namespace renga::scheduler {

Result<std::vector<std::string>> DeclaredJobs::declare(const Id<apps::App>& app,
                                                       const std::vector<Wish>& wishes) {
  std::vector<std::string> outputs;
  auto left = wishes;
  for (auto& wish : left) {
    if (wish.size.empty()) wish.size = jobs_.sizes().standard().name;
    if (const auto* size = jobs_.sizes().find(wish.size)) wish.size = size->name;
  }
  auto transaction = database_.begin();
  for (const auto& job : jobs_.all(app)) {
    if (!is_declared(job)) continue;
    const Wish is{job.command, job.schedule, job.time_zone, job.size, job.overlap};
    if (const auto stays = std::ranges::find(left, is); stays != left.end()) {
      left.erase(stays);
      continue;
    }
    remove(job, outputs);
  }
  for (const auto& wish : left) {
    const auto job =
        TRY(jobs_.add(app, {wish.command, wish.schedule, wish.time_zone, wish.size, wish.overlap}));
    database_.run("INSERT INTO scheduler_declared (job) VALUES (?)", job.id);
  }
  transaction.commit();
  return outputs;
}

std::vector<std::string> DeclaredJobs::remove_others(const Id<apps::App>& app) {
  std::vector<std::string> outputs;
  auto transaction = database_.begin();
  for (const auto& job : jobs_.all(app))
    if (!is_declared(job)) remove(job, outputs);
  transaction.commit();
  return outputs;
}

void DeclaredJobs::remove(const Job& job, std::vector<std::string>& outputs) {
  for (const auto& run : jobs_.runs(job))
    if (!run.output.empty()) outputs.push_back(run.output);
  jobs_.remove(job);
}

bool DeclaredJobs::is_declared(const Job& job) {
  return database_
      .first(
          "SELECT 1 FROM scheduler_declared WHERE job = ?", [](const store::Row&) { return true; },
          job.id)
      .has_value();
}

}  // namespace renga::scheduler

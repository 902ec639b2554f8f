// CronJobs: keeps an app's scheduled jobs as the "cron" of the app.json that it runs says: after
// each deploy and rollback. A thread of its own reads the slug's app.json, once for each slug that
// an app comes to run; which one it was is a row, so that news lost in a crash costs nothing.
#pragma once

#include <memory>

#include "apps/apps.h"
#include "logs/log_store.h"
#include "logs/output_streams.h"
#include "releases/releases.h"
#include "releases/slugs.h"
#include "scheduler/declared_jobs.h"

namespace renga::setups {

// Borrowed: all of it outlives the CronJobs.
struct CronJobsParts {
  store::Database& database;
  apps::Apps& apps;
  releases::Releases& releases;
  releases::Slugs& slugs;
  scheduler::DeclaredJobs& declared_jobs;
  logs::LogStore& logs;
  logs::OutputStreams& outputs;
  Clock& clock;
};

class CronJobs {
 public:
  explicit CronJobs(CronJobsParts parts);
  ~CronJobs();  // joins
  CronJobs(const CronJobs&) = delete;
  CronJobs& operator=(const CronJobs&) = delete;

  // Begins the thread, which looks at every app first.
  void start();
  void release_changed(const releases::Release& release);  // never blocks

  // Looks at one app now; what the thread does. For tests.
  void look_at(const Id<apps::App>& app);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::setups

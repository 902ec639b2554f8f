// Scheduler: starts the runs of jobs in one-off dynos when they are due, and notes how they ended.
// One thread, which sleeps until a job is due, a dyno changed or somebody asked. Everything is a
// row first: killed at any instant, the next one goes on, and starts nothing twice.
#pragma once

#include <memory>

#include "apps/apps.h"
#include "dynos/engine.h"
#include "dynos/reconciler.h"
#include "logs/output_streams.h"
#include "releases/releases.h"
#include "scheduler/jobs.h"

namespace renga::scheduler {

class Scheduler {
 public:
  Scheduler(Jobs& jobs, Clock& clock, apps::Apps& apps, releases::Releases& releases,
            dynos::Reconciler& reconciler, dynos::Engine& engine, logs::OutputStreams& outputs);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Begins the thread, after the engine has started.
  void start();
  void dyno_changed(const dynos::Dyno& dyno);  // from EngineEvents::on_change; never blocks
  void poke();                                 // jobs or runs changed

  // All that is due now; what the thread does. For tests.
  void pass();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::scheduler

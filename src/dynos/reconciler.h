// Reconciler: makes what runs equal to (current release, formation), by telling the engine. Hears
// of releases and scaling, coalesces, and runs on one thread of its own; at its start, and every
// minute, it goes through all apps, so that lost news costs a minute at most. Also runs release
// commands: a pending release runs its `release` process in a one-off dyno and becomes succeeded or
// failed; after a crash the dyno that runs is found again, and a command is never started twice.
#pragma once

#include <memory>

#include "apps/apps.h"
#include "apps/domains.h"
#include "dynos/engine.h"
#include "dynos/formation.h"
#include "logs/log_store.h"
#include "logs/output_streams.h"
#include "releases/releases.h"

namespace renga::dynos {

class Reconciler {
 public:
  Reconciler(store::Database& database, Clock& clock, apps::Apps& apps, apps::Domains& domains,
             releases::Releases& releases, releases::Slugs& slugs, Formation& formation,
             Engine& engine, logs::LogStore& logs, logs::OutputStreams& outputs);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  void
  start();  // starts the engine and the thread, and goes through all apps once before it returns
  void release_changed(const releases::Release& release);  // from Releases::on_change
  void formation_changed(const Id<apps::App>& app);        // from Formation::on_change
  void dyno_changed(const Dyno& dyno);                     // from EngineEvents::on_change

  // What the engine is told of an app's release; also for one-off dynos that people run.
  AppSpec spec_of(const apps::App& app, const releases::Release& release);

  // What the router is told of an app: the engine's endpoints, and where the engine is still to
  // hear of the web dynos that the formation asks for, that they are on their way. Without it the
  // first request after a first deploy, or after scaling up from nothing, would be refused (H14).
  // `current` is the app's current release.
  Endpoints endpoints_of(const apps::App& app, const releases::Release& current);

 private:
  AppSpec spec(const apps::App& app, const releases::Release& release) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::dynos

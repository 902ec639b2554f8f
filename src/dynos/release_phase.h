// Release phase: the release command of a pending release, run in a one-off dyno before the release
// may become current. The dyno's id is the release's, so that after a crash the one that runs (or
// ran) is found again and no command is started twice. Pending releases of an app wait for one
// another, the oldest first: each push gets its own answer. Belongs to the reconciler's thread.
#pragma once

#include <functional>

#include "apps/apps.h"
#include "dynos/engine.h"
#include "dynos/formation.h"
#include "logs/log_store.h"
#include "logs/output_streams.h"
#include "releases/releases.h"

namespace renga::dynos {

class ReleasePhase {
 public:
  static constexpr std::chrono::seconds limit{3600};

  ReleasePhase(store::Database& database, Clock& clock, releases::Releases& releases,
               releases::Slugs& slugs, Formation& formation, Engine& engine, logs::LogStore& logs,
               logs::OutputStreams& outputs)
      : accounts_(database, clock),
        clock_(clock),
        releases_(releases),
        slugs_(slugs),
        formation_(formation),
        engine_(engine),
        logs_(logs),
        outputs_(outputs) {}

  // Brings the app's pending releases as far as they can go now: starts the oldest one's command,
  // or finishes it when its command has ended. `spec_of`: see Reconciler.
  void advance(const apps::App& app, std::vector<releases::Release> pending,
               const std::function<AppSpec(const releases::Release&)>& spec_of);

 private:
  bool finished(const apps::App& app, const releases::Release& release,
                const std::function<AppSpec(const releases::Release&)>& spec_of);
  void finish(const apps::App& app, const releases::Release& release, releases::Status status,
              const std::string& output_stream);
  std::string output_stream_of(const releases::Release& release);

  accounts::Accounts accounts_;
  Clock& clock_;
  releases::Releases& releases_;
  releases::Slugs& slugs_;
  Formation& formation_;
  Engine& engine_;
  logs::LogStore& logs_;
  logs::OutputStreams& outputs_;
};

}  // namespace renga::dynos

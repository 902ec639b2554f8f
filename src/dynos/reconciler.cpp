#include "dynos/reconciler.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <set>
#include <thread>

#include "base/locked.h"
#include "base/report.h"
#include "dynos/release_phase.h"

namespace renga::dynos {
namespace {

constexpr std::chrono::seconds go_through_all_every{60};
constexpr std::size_t commit_shown = 8;

}  // namespace

struct Reconciler::State {
  struct Queue {
    bool stop = false;
    std::set<Id<apps::App>> apps;
  };

  State(store::Database& the_database, Clock& clock, apps::Apps& the_apps,
        apps::Domains& the_domains, releases::Releases& the_releases, releases::Slugs& the_slugs,
        Formation& the_formation, Engine& the_engine, logs::LogStore& logs,
        logs::OutputStreams& outputs)
      : database(the_database),
        apps(the_apps),
        domains(the_domains),
        releases(the_releases),
        slugs(the_slugs),
        formation(the_formation),
        engine(the_engine),
        release_phase(the_database, clock, the_releases, the_slugs, the_formation, the_engine, logs,
                      outputs) {}

  void note(const Id<apps::App>& app) {
    queue.lock()->apps.insert(app);
    changed.notify_one();
  }

  void go_through_all(const Reconciler& self) {
    for (const auto& app : apps.all()) go_through(self, app.id);
  }

  // Trouble with one app is no trouble for the others; the next round tries again.
  void go_through(const Reconciler& self, const Id<apps::App>& id) {
    try {
      reconcile(self, id);
    } catch (const std::exception& trouble) {
      report("dynos", fmt::format("reconciling app {}: {}", id.value, trouble.what()));
    }
  }

  void reconcile(const Reconciler& self, const Id<apps::App>& id) {
    const auto app = apps.find(id);
    if (!app) return;

    std::vector<releases::Release> pending;
    for (const auto& release : releases.pending())
      if (release.app == id) pending.push_back(release);
    release_phase.advance(*app, std::move(pending), [&](const releases::Release& release) {
      return self.spec(*app, release);
    });

    follow(id);
    engine.apply(self.spec(*app, releases.current(id)));
    // Destroyed meanwhile: whoever destroyed it may have told the engine to forget it just before.
    if (!apps.find(id)) engine.forget(id);
  }

  // One transaction: a newer release between the question and the answer would lose its types, and
  // what people had scaled them to.
  void follow(const Id<apps::App>& app) {
    auto transaction = database.begin();
    const auto current = releases.current(app);
    if (!current.slug)
      formation.follow(app, {});
    else if (const auto slug = slugs.find(*current.slug))
      formation.follow(app, slug->process_types);
    transaction.commit();
  }

  void work(const Reconciler& self) {
    auto all_at = std::chrono::steady_clock::now() + go_through_all_every;
    for (;;) {
      std::set<Id<apps::App>> due;
      {
        auto waiting = queue.lock();
        waiting.wait_for(changed, all_at - std::chrono::steady_clock::now(),
                         [&] { return waiting->stop || !waiting->apps.empty(); });
        if (waiting->stop) return;
        due.swap(waiting->apps);
      }
      for (const auto& app : due) go_through(self, app);
      if (std::chrono::steady_clock::now() < all_at) continue;
      try {
        go_through_all(self);
      } catch (const std::exception& trouble) {
        report("dynos", fmt::format("going through all apps: {}", trouble.what()));
      }
      all_at = std::chrono::steady_clock::now() + go_through_all_every;
    }
  }

  store::Database& database;
  apps::Apps& apps;
  apps::Domains& domains;
  releases::Releases& releases;
  releases::Slugs& slugs;
  Formation& formation;
  Engine& engine;
  ReleasePhase release_phase;
  Locked<Queue> queue;
  std::condition_variable changed;
  std::thread thread;
};

Reconciler::Reconciler(store::Database& database, Clock& clock, apps::Apps& apps,
                       apps::Domains& domains, releases::Releases& releases, releases::Slugs& slugs,
                       Formation& formation, Engine& engine, logs::LogStore& logs,
                       logs::OutputStreams& outputs)
    : state_(std::make_unique<State>(database, clock, apps, domains, releases, slugs, formation,
                                     engine, logs, outputs)) {}

Reconciler::~Reconciler() {
  state_->queue.lock()->stop = true;
  state_->changed.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

void Reconciler::start() {
  state_->engine.start();
  state_->go_through_all(*this);
  state_->thread = std::thread([this] { state_->work(*this); });
}

// The formation follows at once, so that who deployed a type can scale it in the next breath. A
// kill before it does is made good by start().
void Reconciler::release_changed(const releases::Release& release) {
  if (release.status == releases::Status::succeeded) state_->follow(release.app);
  state_->note(release.app);
}

void Reconciler::formation_changed(const Id<apps::App>& app) { state_->note(app); }

// Of all that happens to dynos, only the end of a release command is the reconciler's business.
void Reconciler::dyno_changed(const Dyno& dyno) {
  if (dyno.type == "release" && dyno.exit_status) state_->note(dyno.app);
}

AppSpec Reconciler::spec_of(const apps::App& app, const releases::Release& release) {
  return spec(app, release);
}

Endpoints Reconciler::endpoints_of(const apps::App& app, const releases::Release& current) {
  auto known = state_->engine.endpoints(app.id);
  if (known.web_quantity > 0 || !current.slug) return known;
  // A release is committed a moment before the formation follows it.
  const auto slug = state_->slugs.find(*current.slug);
  if (!slug || !slug->process_types.contains("web")) return known;
  const auto processes = state_->formation.all(app.id);
  const auto web = std::ranges::find(processes, "web", &Process::type);
  // The first deploy runs one; what comes later waits to be scaled.
  known.web_quantity = web != processes.end() ? web->quantity : processes.empty() ? 1 : 0;
  known.starting = known.starting || (known.web_quantity > 0 && known.up.empty());
  return known;
}

AppSpec Reconciler::spec(const apps::App& app, const releases::Release& release) const {
  AppSpec made;
  made.app = app.id;
  made.app_name = app.name;
  made.release = release.id;
  made.release_version = release.version;
  made.slug = release.slug;
  made.stack = app.stack;
  made.env = state_->releases.config(release);
  made.env["HEROKU_APP_ID"] = app.id.value;
  made.env["HEROKU_APP_NAME"] = app.name;
  made.env["HEROKU_APP_DEFAULT_DOMAIN_NAME"] = state_->domains.default_hostname(app);
  made.env["HEROKU_RELEASE_VERSION"] = "v" + std::to_string(release.version);
  made.env["HEROKU_RELEASE_CREATED_AT"] = rfc3339(release.created_at);
  if (!release.slug) return made;

  const auto slug = state_->slugs.find(*release.slug);
  if (!slug) return made;
  made.stack = slug->stack.empty() ? app.stack : slug->stack;
  made.env["HEROKU_SLUG_COMMIT"] = slug->commit;
  made.env["HEROKU_SLUG_DESCRIPTION"] = slug->commit.empty()
                                            ? slug->commit_description
                                            : "Deploy " + slug->commit.substr(0, commit_shown);
  for (const auto& process : state_->formation.all(app.id)) {
    const auto command = slug->process_types.find(process.type);
    if (command == slug->process_types.end()) continue;
    made.processes.push_back({process.type, command->second,
                              process.type == "release" ? 0 : process.quantity, process.size});
  }
  return made;
}

}  // namespace renga::dynos

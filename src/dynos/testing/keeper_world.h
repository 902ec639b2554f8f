// A machine with one app and control's keeper on it, on a fake clock: what the keeper's tests play
// on.
#pragma once

#include <memory>

#include "accounts/migrations.h"
#include "apps/apps.h"
#include "apps/migrations.h"
#include "base/testing/fake_clock.h"
#include "dynos/engines/local/boot.h"
#include "dynos/engines/local/keeper.h"
#include "dynos/migrations.h"
#include "dynos/testing/fake_sandboxes.h"

namespace renga::dynos {

class KeeperWorld {
 public:
  KeeperWorld() {
    database.migrate(accounts::migrations());
    database.migrate(apps::migrations());
    database.migrate(migrations());
    const auto owner = accounts::Accounts(database, clock).create("a@example.com", "A", true);
    app = apps::Apps(database, clock, {"host"}).create(*owner, {"sushi", ""})->id;
    boot();
  }

  // Control starts, for the first time or after it was killed.
  void boot() {
    keeper.reset();
    watched.clear();
    KeeperNeeds needs;
    needs.slug_directory = [this](const Id<releases::Slug>&) -> Result<std::string> {
      if (slug_missing) return fail(Kind::not_found, "The slug's archive is gone.");
      return "/slugs/1";
    };
    needs.uid_base = [](const Id<apps::App>&) { return 1'000'000U; };
    needs.say = [this](const Id<apps::App>&, const std::string& process,
                       const std::string& message) { log.push_back(process + ": " + message); };
    needs.accepts = [this](const std::string& address, int) {
      for (const auto& [id, sandbox] : machine.sandboxes)
        if (sandbox.alive && sandbox.running.address == address) return sandbox.listening;
      return false;
    };
    needs.settle_output = [] {};
    needs.watch_disk = [this](const std::string& dyno, const Size& size) {
      watched[dyno] = size.memory_bytes();
    };
    needs.forget_disk = [this](const std::string& dyno) { watched.erase(dyno); };
    keeper = std::make_unique<Keeper>(database, clock, machine, needs, options);
    EngineEvents events;
    events.on_change = [this](const Dyno& dyno) {
      machine.step();
      changes.push_back(dyno);
    };
    events.on_endpoints_change = [this](const Id<apps::App>& changed) {
      machine.step();
      route(changed);
    };
    keeper->set_events(events);
    keeper->recover();
    if (spec) keeper->apply(*spec);
    settle();
  }

  // The router: lets go at once of what it was told of and is told of no more.
  void route(const Id<apps::App>& changed) {
    std::set<std::string> now;
    for (const auto& endpoint : keeper->endpoints(changed).up) now.insert(endpoint.dyno.value);
    for (const auto& before : routed)
      if (!now.contains(before) && router_lets_go) to_retire.insert(before);
    routed = now;
  }

  AppSpec release(int version, std::vector<ProcessSpec> processes) {
    AppSpec made;
    made.app = app;
    made.app_name = "sushi";
    made.release = {"release-" + std::to_string(version)};
    made.release_version = version;
    made.slug = Id<releases::Slug>{"slug"};
    made.stack = "host";
    made.env = {{"HEROKU_RELEASE_VERSION", "v" + std::to_string(version)}};
    made.processes = std::move(processes);
    return made;
  }
  void apply(AppSpec wanted) {
    spec = std::move(wanted);
    keeper->apply(*spec);
    settle();
  }
  // Plays everything that is due now.
  void settle() {
    for (int turn = 0; turn < 1'000; ++turn) {
      for (const auto& [fd, id] : keeper->watches()) {
        const auto found = machine.sandboxes.find(id.value);
        if (found == machine.sandboxes.end() || !found->second.alive) keeper->ended(id);
      }
      for (const auto& id : std::exchange(to_retire, {})) keeper->retired({id});
      const auto next = keeper->step();
      const bool news =
          !to_retire.empty() || std::ranges::any_of(keeper->watches(), [&](auto& watch) {
            const auto found = machine.sandboxes.find(watch.second.value);
            return found == machine.sandboxes.end() || !found->second.alive;
          });
      if (!news && (!next || *next > clock.steady())) return;
    }
    throw std::logic_error("the keeper does not come to rest");
  }
  void pass(Duration time) {
    const auto end = clock.steady() + time;
    while (clock.steady() < end) {
      const auto next = keeper->step();
      const auto until = next ? std::clamp(*next, clock.steady(), end) : end;
      clock.advance(std::max<Duration>(until - clock.steady(), std::chrono::milliseconds(1)));
      settle();
    }
  }
  void crash(const std::string& name, int status) {
    machine.end(machine.named(name).spec.id, status);
    settle();
  }
  std::vector<std::string> shown() {  // as `ps` would
    std::vector<std::string> all;
    for (const auto& record : Records(database).living(app))
      all.push_back(record.dyno.name() + "@v" + std::to_string(record.dyno.release_version) + " " +
                    std::string(name_of(record.dyno.state)));
    return all;
  }
  std::vector<std::string> served() {
    std::vector<std::string> all;
    for (const auto& endpoint : keeper->endpoints(app).up) all.push_back(endpoint.dyno_name);
    return all;
  }

  FakeClock clock;
  store::Database database{":memory:"};
  Id<apps::App> app;
  FakeSandboxes machine;
  LocalEngineOptions options;
  std::unique_ptr<Keeper> keeper;
  std::optional<AppSpec> spec;
  bool slug_missing = false;
  bool router_lets_go = true;
  std::set<std::string> routed, to_retire;
  std::map<std::string, std::int64_t> watched;  // and how much memory they have
  std::vector<std::string> log;
  std::vector<Dyno> changes;
};

}  // namespace renga::dynos

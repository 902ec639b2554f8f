// The engines there are.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "apps/uid_ranges.h"
#include "dynos/engine.h"
#include "dynos/sleep.h"
#include "dynos/usage.h"
#include "logs/log_store.h"
#include "logs/output_streams.h"
#include "releases/slugs.h"
#include "sandbox/freezer.h"
#include "sandbox/spawner.h"

namespace renga::dynos {

struct LocalEngineOptions {
  std::filesystem::path log_socket;      // where renga-init sends lines; the engine listens
  const Sizes* sizes = &Sizes::usual();  // borrowed
  std::chrono::seconds boot_limit{60};   // R10
  std::chrono::seconds stop_limit{30};   // R12
  std::chrono::seconds drain_limit{30};  // for EngineEvents' retired
  // Cool-offs after the second, third, … crash in a row; the last one repeats. The first crash
  // restarts at once. Shorter than Heroku's 20 to 320 minutes: docs/adr says why.
  std::vector<std::chrono::seconds> crash_back_off{
      std::chrono::seconds(5), std::chrono::seconds(15), std::chrono::seconds(60),
      std::chrono::seconds(300), std::chrono::seconds(900)};
  std::chrono::seconds crash_forgiven_after{300};  // up for so long: the next crash is a first one
  // Apps whose web dynos have a size that sleeps are frozen when nobody asked for so long (0:
  // never), and their processes end when nobody did for so long again.
  std::chrono::seconds sleep_after{1800};
  std::chrono::seconds put_away_after{6 * 3600};
  // Each dyno of a type that has `cycle_from` of them or more is replaced after so long, and up to
  // 15 % more (0: never). Nothing stands in for one that is alone, but for a web dyno.
  std::chrono::seconds cycle_after{24 * 3600};
  int cycle_from = 2;
  // What a dyno may have on the disk, for each byte of memory that its size has: 8 GB of 512 MB.
  int disk_per_memory = 16;
  int surge = 4;  // web dynos of an app that start at once next to the ones they replace
  sandbox::Freezer* freezer = nullptr;  // borrowed; none: what is idle runs on
  // Whether this app's dynos are to log what they use (log-runtime-metrics).
  std::function<bool(const Id<apps::App>&)> logs_metrics = [](const Id<apps::App>&) {
    return false;
  };
  // What a dyno used in the last minute; on the engine's thread.
  std::function<void(const Id<apps::App>&, const UsagePoint&)> on_usage = [](const Id<apps::App>&,
                                                                             const UsagePoint&) {};
  // Sandboxes of this server that are not dynos (builds). All others that no row knows are removed
  // by start(); without this, start the engine before whatever else makes sandboxes.
  std::function<bool(const std::string& sandbox)> is_foreign = [](const std::string&) {
    return false;
  };
};

// Nothing where the engine's apps do not sleep.
Sleep* sleep_of(Engine& engine);

// engines/local: dynos in sandboxes of this machine.
std::unique_ptr<Engine> local_engine(store::Database& database, Clock& clock, apps::UidRanges& uids,
                                     releases::Slugs& slugs, sandbox::Spawner& spawner,
                                     logs::LogStore& logs, logs::OutputStreams& outputs,
                                     LocalEngineOptions options);

}  // namespace renga::dynos

#include "dynos/engines/local/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/report.h"
#include "dynos/engines/local/boot.h"
#include "os/machine.h"

namespace renga::dynos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds after_trouble{5};
constexpr std::size_t starts_a_pass = 8;  // others wait for their turn no longer than these take
constexpr milliseconds longest_probe_gap{100};

void sooner(std::optional<SteadyTime>& next, std::optional<SteadyTime> candidate) {
  if (candidate && (!next || *candidate < *next)) next = candidate;
}

}  // namespace

Keeper::Keeper(store::Database& database, Clock& clock, Sandboxes& sandboxes, KeeperNeeds needs,
               const LocalEngineOptions& options)
    : records_(database),
      clock_(clock),
      sandboxes_(sandboxes),
      needs_(std::move(needs)),
      options_(options),
      boot_id_(os::boot_id()) {}

void Keeper::say(const Record& record, const std::string& message) {
  needs_.say(record.dyno.app, record.dyno.name(), message);
}

void Keeper::apply(const AppSpec& spec) {
  auto& known = apps_[spec.app];
  if (!known.spec) known.active_at = clock_.steady();
  known.spec = spec;
  dirty_.insert(spec.app);
  unpublished_.insert(spec.app);
}

void Keeper::asked(const Id<apps::App>& app) {
  for (auto& [id, kept] : kept_) {
    if (kept.record.dyno.app != app) continue;
    if (const auto now = records_.find(id)) {
      if (kept.record.asked == Asked::nothing && now->asked == Asked::replace)
        say(kept.record, "Restarting");
      kept.record.asked = now->asked;
      kept.record.crashes = now->crashes;
      kept.record.retry_at = now->retry_at;
    }
  }
  dirty_.insert(app);
}

void Keeper::retired(const Id<Dyno>& dyno) {
  const auto found = kept_.find(dyno);
  if (found != kept_.end()) obey(found->second, found->second.life.let_go(clock_.steady()));
}

void Keeper::ended(const Id<Dyno>& dyno) {
  const auto found = kept_.find(dyno);
  if (found != kept_.end()) found->second.gone = true;
}

std::vector<std::pair<int, Id<Dyno>>> Keeper::watches() const {
  std::vector<std::pair<int, Id<Dyno>>> all;
  for (const auto& [id, kept] : kept_)
    if (kept.watch && !kept.gone) all.emplace_back(kept.watch.get(), id);
  return all;
}

bool Keeper::idle() const {
  for (const auto& [id, kept] : kept_)
    if (kept.running) return false;
  return true;
}

bool Keeper::has_type(const Id<apps::App>& app, std::string_view type) const {
  const auto known = apps_.find(app);
  if (known == apps_.end() || !known->second.spec) return false;
  for (const auto& process : known->second.spec->processes)
    if (process.type == type) return true;
  return false;
}

std::optional<SteadyTime> Keeper::step() {
  const auto now = clock_.steady();
  clear_leftovers(now);
  hear_of_memory(now);

  std::vector<Id<Dyno>> ids;
  for (const auto& [id, kept] : kept_) ids.push_back(id);
  for (const auto& id : ids) {
    const auto found = kept_.find(id);
    if (found == kept_.end() || found->second.not_before > now) continue;
    try {
      attend(found->second, now);
    } catch (const std::exception& trouble) {
      report("dynos", fmt::format("dyno {}: {}", id.value, trouble.what()));
      const auto still = kept_.find(id);
      if (still != kept_.end()) still->second.not_before = now + after_trouble;
    }
  }

  for (auto& [app, known] : apps_)
    if (known.again && *known.again <= now) dirty_.insert(app);
  std::optional<SteadyTime> next = next_purge_;
  for (auto& [app, known] : apps_) {
    sooner(next, rest(app, known, now));
    sooner(next, cycle(app, known, now));
  }
  for (const auto& app : std::exchange(dirty_, {})) {
    try {
      pass(app);
    } catch (const std::exception& trouble) {
      report("dynos", fmt::format("app {}: {}", app.value, trouble.what()));
      apps_[app].again = now + after_trouble;
    }
  }

  for (const auto& app : std::exchange(unpublished_, {})) publish(app);

  if (!dirty_.empty()) return now;
  sooner(next, next_purge_);
  for (const auto& [app, known] : apps_) sooner(next, known.again);
  for (const auto& [id, kept] : kept_) sooner(next, next_of(kept));
  for (const auto& [sandbox, at] : leftovers_) sooner(next, at);
  return next;
}

// What one dyno needs: its end dealt with, its limits kept, its port asked, its memory looked at.
void Keeper::attend(Kept& kept, SteadyTime now) {
  if (kept.gone) return finish(kept);
  if (kept.waiting && kept.waiting->until <= now) return give_up_waiting(kept);
  if (!kept.running) return;
  obey(kept, kept.life.tick(now));
  if (kept.next_hang_up && *kept.next_hang_up <= now) hang_up(kept, now);
  if (kept.signal_again && *kept.signal_again <= now) {
    kept.signal_again.reset();
    sandboxes_.signal(kept.record.dyno.id.value, SIGTERM);
  }
  if (kept.record.expires_at && !kept.life.stopping() && clock_.now() >= *kept.record.expires_at) {
    say(kept.record, "Stopping the process: its time to live is over");
    stop(kept, Life::Stop::now);
  }
  if (kept.life.probing() && kept.next_probe <= now) probe(kept, now);
  attend_to_memory(kept, now);
}

std::optional<SteadyTime> Keeper::next_of(const Kept& kept) const {
  std::optional<SteadyTime> next;
  if (kept.gone) next = kept.not_before;
  if (kept.waiting) next = std::max(kept.waiting->until, kept.not_before);
  if (!kept.running || kept.gone) return next;

  sooner(next, kept.life.deadline());
  sooner(next, kept.next_memory);
  sooner(next, kept.listen_again);
  sooner(next, kept.signal_again);
  sooner(next, kept.next_hang_up);
  if (kept.life.probing()) sooner(next, kept.next_probe);
  if (kept.record.expires_at && !kept.life.stopping())
    sooner(next, clock_.steady() + std::max(*kept.record.expires_at - clock_.now(), Duration(0)));
  return std::max(*next, kept.not_before);
}

void Keeper::probe(Kept& kept, SteadyTime now) {
  if (needs_.accepts(kept.running->address, kept.record.port))
    return obey(kept, kept.life.listening());
  kept.probe_gap = std::min<Duration>(kept.probe_gap * 3 / 2, longest_probe_gap);
  kept.next_probe = now + kept.probe_gap;
}

void Keeper::pass(const Id<apps::App>& app) {
  auto& known = apps_[app];
  known.again.reset();
  for (auto& [id, kept] : kept_)
    if (kept.record.dyno.app == app && kept.record.asked == Asked::stop &&
        (kept.running || kept.waiting))
      stop(kept, Life::Stop::after_requests);
  if (!known.spec || paused_) return;

  // Types that are not in the spec any more are planned for as well: at zero.
  const auto spec = *known.spec;
  std::map<std::string, ProcessSpec> processes;
  for (const auto& [id, kept] : kept_)
    if (kept.record.dyno.app == app && !kept.record.one_off)
      processes[kept.record.dyno.type].type = kept.record.dyno.type;
  for (auto process : spec.processes) {
    if (!spec.slug || process.type == "release") process.quantity = 0;
    process.size = options_.sizes->of(process.size).name;
    processes[process.type] = process;
  }
  for (const auto& [type, process] : processes) pass(spec, process);
}

Present Keeper::present(const Kept& kept, const AppSpec& spec, const ProcessSpec& process) const {
  const auto& record = kept.record;
  Present now;
  now.id = record.dyno.id;
  now.number = record.dyno.number;
  now.fresh = record.asked == Asked::nothing && record.dyno.release == spec.release &&
              record.dyno.size == process.size;
  // One that is asleep starts anew as one that crashed does, with nothing held against it.
  const bool anew = kept.life.asleep() && kept.woken;
  now.state = anew ? State::crashed : kept.life.state();
  now.stopping = kept.life.stopping();
  now.crashes = record.crashes;
  now.retry_at = record.retry_at;
  return now;
}

void Keeper::pass(const AppSpec& spec, const ProcessSpec& process) {
  std::vector<Present> dynos;
  for (const auto& [id, kept] : kept_) {
    const auto& dyno = kept.record.dyno;
    if (dyno.app == spec.app && dyno.type == process.type && !kept.record.one_off && !kept.gone)
      dynos.push_back(present(kept, spec, process));
  }
  const auto next = plan(process, dynos, clock_.now(), options_.surge);

  for (const auto& id : next.stop) {
    if (kept_.at(id).life.asleep())
      discard(id);
    else
      stop(kept_.at(id), Life::Stop::after_requests);
  }
  for (const auto& id : next.clear) discard(id);
  for (std::size_t i = 0; i < std::min(next.start.size(), starts_a_pass); ++i)
    start(spec, process, next.start[i]);
  if (next.start.size() > starts_a_pass) dirty_.insert(spec.app);
  if (next.again)
    sooner(apps_[spec.app].again,
           clock_.steady() + std::max(*next.again - clock_.now(), Duration(0)));
}

}  // namespace renga::dynos

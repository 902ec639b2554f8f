// How dynos end: asked to, by themselves, or with their app.
#include <fmt/format.h>

#include <csignal>

#include "base/report.h"
#include "dynos/engines/local/back_off.h"
#include "dynos/engines/local/keeper.h"

namespace renga::dynos {
namespace {
constexpr std::chrono::seconds clear_again{10};
constexpr int killed = 128 + SIGKILL;
constexpr std::chrono::seconds young{1};
constexpr std::chrono::milliseconds signal_again_after{300};
constexpr std::chrono::hours one_offs_kept{24};
}  // namespace

void Keeper::stop(Kept& kept, Life::Stop how) {
  if (kept.waiting && !kept.waiting->stopped) {
    kept.waiting->stopped = true;
    kept.waiting->until = clock_.steady();  // at the next step, since it takes the dyno away
    return;
  }
  if (!kept.running || kept.gone) return;
  obey(kept, kept.life.stop(how, clock_.steady()));
}

void Keeper::expel(const Id<Dyno>& dyno, const std::string& why) {
  const auto found = kept_.find(dyno);
  if (found == kept_.end() || !found->second.running || found->second.gone) return;
  obey(found->second, found->second.life.expel(why, clock_.steady()));
}

// The record first, so that a stop is carried on after a crash of control; then the words, then the
// deed.
void Keeper::obey(Kept& kept, const Orders& orders) {
  const auto id = kept.record.dyno.id.value;
  if (orders.changed) {
    if (kept.record.dyno.state != kept.life.state()) {
      kept.record.dyno.state = kept.life.state();
      kept.record.dyno.state_since = clock_.now();
      if (kept.life.state() == State::up) apps_[kept.record.dyno.app].active_at = clock_.steady();
    }
    records_.update(kept.record);
    dirty_.insert(kept.record.dyno.app);
    unpublished_.insert(kept.record.dyno.app);
  }
  for (const auto& line : orders.lines) say(kept.record, line);
  if (orders.changed) tell(kept.record);
  if (orders.signal == Signal::freeze) kept.frozen = sandboxes_.freeze(id);
  if (orders.signal == Signal::thaw || (orders.signal == Signal::terminate && kept.frozen)) {
    sandboxes_.thaw(id);
    kept.frozen = false;
  }
  if (orders.signal == Signal::terminate) {
    sandboxes_.signal(id, SIGTERM);
    // A sandbox runs a moment before its command does. A signal that came in between reached
    // nobody.
    const auto now = clock_.steady();
    if (now - kept.launched_at < young) kept.signal_again = now + signal_again_after;
  }
  if (orders.signal == Signal::kill) sandboxes_.kill(id);
}

// Its sandbox has ended. What it wrote goes even if that cannot be noted now: perhaps it has filled
// the disk on which the record wants room.
void Keeper::finish(Kept& kept) {
  const auto id = kept.record.dyno.id.value;
  try {
    note_end(kept);
  } catch (const std::exception&) {
    clear(id);
    throw;
  }
}

// May be called again after trouble: each step can be repeated.
void Keeper::note_end(Kept& kept) {
  auto& record = kept.record;
  const auto exit = sandboxes_.exit_of(record.dyno.id.value);
  const int status = exit ? exit->status : record.dyno.exit_status.value_or(killed);
  if (status == killed && !record.dyno.exit_status)
    if (const auto memory = sandboxes_.memory(record.dyno.id.value))
      say_kills(kept, memory->out_of_memory_kills);
  needs_.settle_output();

  const auto before = kept.life.state();
  const auto ran = before == State::up ? clock_.now() - record.dyno.state_since : Duration(0);
  const auto orders = kept.life.ended(status);
  for (const auto& line : orders.lines) say(record, line);
  record.dyno.exit_status = status;
  if (kept.life.asleep()) {
    fall_asleep(kept);
  } else if (kept.life.state() == State::crashed) {
    if (before == State::starting) say_which_serves(kept);
    crashed(kept, ran);
  } else {
    over(kept);
  }
}

void Keeper::crashed(Kept& kept, Duration ran) {
  auto record = kept.record;
  const auto now = clock_.now();
  const auto next =
      after_crash(record.crashes, ran, now, options_.crash_back_off, options_.crash_forgiven_after);
  record.crashes = next.crashes;
  record.retry_at = next.retry_at;
  record.dyno.state = State::crashed;
  record.dyno.state_since = now;
  records_.update(record);
  kept.record = record;

  kept.running.reset();
  kept.watch.close();
  kept.gone = false;
  dirty_.insert(record.dyno.app);
  unpublished_.insert(record.dyno.app);
  clear(record.dyno.id.value);
  tell(record);
}

// Its processes have ended and it has not: its row stays, idle.
void Keeper::fall_asleep(Kept& kept) {
  auto& record = kept.record;
  record.dyno.exit_status.reset();
  records_.update(record);
  kept.running.reset();
  kept.watch.close();
  kept.gone = kept.frozen = false;
  dirty_.insert(record.dyno.app);
  unpublished_.insert(record.dyno.app);
  clear(record.dyno.id.value);
}

// It ended and does not come back. The row goes last: until then a restart of control comes here
// again.
void Keeper::over(Kept& kept) {
  auto record = kept.record;
  record.dyno.state = State::down;
  if (record.one_off && !record.dyno.exit_status) record.dyno.exit_status = 126;  // never ran
  if (!record.ended_at) {
    record.ended_at = record.dyno.state_since = clock_.now();
    records_.update(record);
    kept.record = record;
  }
  clear(record.dyno.id.value);
  if (record.one_off) {
    record.cleared = true;
    records_.update(record);
  } else {
    records_.erase(record.dyno.id);
  }
  dirty_.insert(record.dyno.app);
  unpublished_.insert(record.dyno.app);
  kept_.erase(record.dyno.id);  // `kept` is gone
  tell(record);
}

void Keeper::discard(const Id<Dyno>& id) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return;
  records_.erase(id);
  auto record = found->second.record;
  kept_.erase(found);
  unpublished_.insert(record.dyno.app);
  record.dyno.state = State::down;
  tell(record);
}

// The app is going: its dynos are killed at once, and nothing is logged, since its log goes too.
void Keeper::forget(const Id<apps::App>& app) {
  apps_.erase(app);
  dirty_.erase(app);
  for (const auto& [id, kept] : kept_)
    if (kept.record.dyno.app == app && kept.running) sandboxes_.begin_to_kill(id.value);
  for (auto entry = kept_.begin(); entry != kept_.end();) {
    if (entry->second.record.dyno.app != app) {
      ++entry;
      continue;
    }
    clear(entry->first.value);
    entry = kept_.erase(entry);
  }
  records_.erase_all(app);
  publish(app);
}

void Keeper::stop_everything() {
  paused_ = true;
  for (auto& [id, kept] : kept_) stop(kept, Life::Stop::now);
}

// Kills what is left inside and takes the sandbox away; what fails is tried again.
void Keeper::clear(const std::string& sandbox) {
  needs_.forget_disk(sandbox);
  memory_watch_.forget({sandbox});
  try {
    sandboxes_.remove(sandbox);
    leftovers_.erase(sandbox);
  } catch (const std::exception& trouble) {
    report("dynos", fmt::format("removing sandbox {}: {}", sandbox, trouble.what()));
    leftovers_[sandbox] = clock_.steady() + clear_again;
  }
}

void Keeper::clear_leftovers(SteadyTime now) {
  std::vector<std::string> due;
  for (const auto& [sandbox, at] : leftovers_)
    if (at <= now) due.push_back(sandbox);
  for (const auto& sandbox : due) clear(sandbox);

  if (next_purge_ > now) return;
  next_purge_ = now + std::chrono::hours(1);
  records_.purge(clock_.now() - one_offs_kept);
}

void Keeper::say_which_serves(const Kept& kept) {
  const auto& dyno = kept.record.dyno;
  if (dyno.type != "web" || kept.record.one_off) return;
  for (const auto& [id, other] : kept_) {
    const auto& old = other.record.dyno;
    if (old.app != dyno.app || old.type != dyno.type || old.number != dyno.number ||
        other.life.state() != State::up || other.life.stopping())
      continue;
    say(kept.record, fmt::format("Release v{} did not come up: the dyno of v{} keeps serving",
                                 dyno.release_version, old.release_version));
  }
}

}  // namespace renga::dynos

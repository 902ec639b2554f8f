// How dynos rest. An app whose web dynos have a size that sleeps (Eco) is put to sleep when nobody
// has asked for it for a while: it is announced as idle, so that the router says at once if a
// request is under way; a moment later its dynos are frozen, which keeps their memory and costs a
// few milliseconds to undo; much later their processes end. A request wakes it in any of these
// states. And a dyno that has run for a day is replaced, where another of its type takes over
// meanwhile, or the operator wants it anyway.
#include <algorithm>
#include <functional>

#include "base/text.h"
#include "dynos/engines/local/keeper.h"
#include "dynos/sleep.h"

namespace renga::dynos {
namespace {

constexpr std::chrono::seconds drowsy{2};

// The same for a dyno whenever it is asked: up to 15 % of `period`, as Heroku's 216 minutes of 24
// h.
Duration jitter(const Id<Dyno>& dyno, std::chrono::seconds period) {
  const auto spread = std::hash<std::string>()(dyno.value) % 1'000;
  return Duration(period) * static_cast<int>(spread) / 1'000 * 15 / 100;
}

void sooner(std::optional<SteadyTime>& next, SteadyTime candidate) {
  if (!next || candidate < *next) next = candidate;
}

}  // namespace

bool size_sleeps(std::string_view size) { return text::equals_ignoring_case(size, "Eco"); }

void Keeper::requested(const Id<apps::App>& app) {
  auto times = requested_.lock();
  const auto found = times->find(app);
  if (found != times->end()) found->second = clock_.steady();
}

bool Keeper::may_sleep(const Known& known) const {
  if (!known.spec || !known.spec->slug || options_.sleep_after.count() == 0 || paused_)
    return false;
  return std::ranges::any_of(known.spec->processes, [](const ProcessSpec& process) {
    return process.type == "web" && process.quantity > 0 && size_sleeps(process.size);
  });
}

void Keeper::wake(const Id<apps::App>& app) {
  const auto known = apps_.find(app);
  if (known == apps_.end()) return;
  known->second.active_at = clock_.steady();
  known->second.drowsy_since.reset();
  unpublished_.insert(app);
  for (auto& [id, kept] : kept_) {
    if (kept.record.dyno.app != app || kept.life.state() != State::idle || kept.woken) continue;
    if ((kept.life.frozen() || kept.life.draining()) && !kept.gone) {
      obey(kept, kept.life.thaw());
    } else {
      kept.woken = true;
      say(kept.record, "Unidling");
      dirty_.insert(app);
    }
  }
}

// What is due now, and when there will be something due.
std::optional<SteadyTime> Keeper::rest(const Id<apps::App>& app, Known& known, SteadyTime now) {
  if (!may_sleep(known)) {
    if (known.drowsy_since) wake(app);
    requested_.lock()->erase(app);
    return std::nullopt;
  }
  {
    auto times = requested_.lock();
    auto& last = times->try_emplace(app, known.active_at).first->second;
    known.active_at = last = std::max(last, known.active_at);
  }
  std::optional<SteadyTime> next;
  std::vector<Kept*> awake;
  for (auto& [id, kept] : kept_) {
    const auto& dyno = kept.record.dyno;
    if (dyno.app != app || kept.record.one_off || !kept.running || kept.gone ||
        !size_sleeps(dyno.size) || kept.life.stopping() || kept.record.asked != Asked::nothing)
      continue;
    if (kept.life.state() == State::up) awake.push_back(&kept);
    if (!kept.life.frozen()) continue;
    const auto left = options_.put_away_after - (clock_.now() - dyno.state_since);
    if (left <= Duration(0))
      obey(kept, kept.life.put_away(now));
    else
      sooner(next, now + left);
  }
  if (awake.empty()) return next;

  const auto due = known.active_at + options_.sleep_after;
  if (now < due) {
    if (std::exchange(known.drowsy_since, std::nullopt)) unpublished_.insert(app);
    sooner(next, due);
    return next;
  }
  if (!known.drowsy_since) {
    known.drowsy_since = now;
    unpublished_.insert(app);
  }
  if (now < *known.drowsy_since + drowsy) {
    sooner(next, *known.drowsy_since + drowsy);
    return next;
  }
  known.drowsy_since.reset();
  for (auto* kept : awake) obey(*kept, kept->life.freeze());
  return next;
}

std::optional<SteadyTime> Keeper::cycle(const Id<apps::App>& app, const Known& known,
                                        SteadyTime now) {
  if (!known.spec || options_.cycle_after.count() == 0 || paused_) return std::nullopt;
  std::optional<SteadyTime> next;
  for (const auto& process : known.spec->processes) {
    if (process.quantity < options_.cycle_from) continue;
    for (auto& [id, kept] : kept_) {
      const auto& dyno = kept.record.dyno;
      if (dyno.app != app || dyno.type != process.type || kept.record.one_off ||
          kept.life.state() != State::up || kept.life.stopping() ||
          kept.record.asked != Asked::nothing)
        continue;
      const auto age = clock_.now() - dyno.created_at;
      const auto left = options_.cycle_after + jitter(id, options_.cycle_after) - age;
      if (left > Duration(0)) {
        sooner(next, now + left);
        continue;
      }
      say(kept.record, "Cycling");
      records_.ask(id, Asked::replace);
      kept.record.asked = Asked::replace;
      dirty_.insert(app);
    }
  }
  return next;
}

}  // namespace renga::dynos

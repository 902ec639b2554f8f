#include "dynos/engines/local/plan.h"

#include <algorithm>
#include <map>

namespace renga::dynos {
namespace {

// The dynos of one number.
struct Slot {
  std::vector<const Present*> fresh;    // starting or up
  std::vector<const Present*> old;      // starting or up
  std::vector<const Present*> crashed;  // fresh ones first
  bool leaving = false;

  bool up() const {
    return std::ranges::any_of(
        fresh, [](auto* dyno) { return dyno->state == State::up || dyno->state == State::idle; });
  }
};

std::map<int, Slot> slots_of(std::span<const Present> present) {
  std::map<int, Slot> slots;
  for (const auto& dyno : present) {
    auto& slot = slots[dyno.number];
    if (dyno.stopping)
      slot.leaving = true;
    else if (dyno.state == State::crashed)
      slot.crashed.insert(dyno.fresh ? slot.crashed.begin() : slot.crashed.end(), &dyno);
    else if (dyno.fresh)
      slot.fresh.push_back(&dyno);
    else
      slot.old.push_back(&dyno);
  }
  return slots;
}

class Planner {
 public:
  Planner(bool rolling, Time now, int surge) : rolling_(rolling), now_(now), surge_(surge) {}

  void count(const Slot& slot) {
    if (!slot.fresh.empty() && !slot.up() && !slot.old.empty()) ++surging_;
  }

  void unwanted(const Slot& slot) {
    stop(slot.fresh);
    stop(slot.old);
    for (const auto* dyno : slot.crashed) plan_.clear.push_back(dyno->id);
  }

  void wanted(int number, const Slot& slot) {
    if (!slot.fresh.empty()) return keep(slot);
    if (!rolling_) {
      stop(slot.old);
      if (!slot.old.empty() || slot.leaving) return;
    }

    Start start{number, 0, {}};
    for (const auto* dyno : slot.crashed) {
      start.replaces.push_back(dyno->id);
      if (!dyno->fresh) continue;
      start.crashes = std::max(start.crashes, dyno->crashes);
      if (dyno->retry_at > now_) {
        plan_.again = plan_.again ? std::min(*plan_.again, dyno->retry_at) : dyno->retry_at;
        return;
      }
    }
    if (!slot.old.empty()) {
      if (surging_ >= surge_) return;
      ++surging_;
    }
    plan_.start.push_back(std::move(start));
    stop_unborn(slot);
  }

  Plan done() { return std::move(plan_); }

 private:
  void stop(const std::vector<const Present*>& dynos) {
    for (const auto* dyno : dynos) plan_.stop.push_back(dyno->id);
  }

  void keep(const Slot& slot) {
    // Two fresh ones of a number are one too many, however they came about.
    for (std::size_t i = 1; i < slot.fresh.size(); ++i) plan_.stop.push_back(slot.fresh[i]->id);
    for (const auto* dyno : slot.crashed) plan_.clear.push_back(dyno->id);
    if (!rolling_ || slot.up())
      stop(slot.old);
    else
      stop_unborn(slot);
  }

  // An old dyno that never came up has nothing to finish; without this, five releases in a row
  // would have five dynos of a number starting side by side.
  void stop_unborn(const Slot& slot) {
    for (const auto* dyno : slot.old)
      if (dyno->state == State::starting) plan_.stop.push_back(dyno->id);
  }

  bool rolling_;
  Time now_;
  int surge_;
  int surging_ = 0;
  Plan plan_;
};

}  // namespace

Plan plan(const ProcessSpec& wanted, std::span<const Present> present, Time now, int surge) {
  auto slots = slots_of(present);
  Planner planner(wanted.type == "web", now, surge);
  for (const auto& [number, slot] : slots)
    if (number <= wanted.quantity) planner.count(slot);

  // The highest numbers go first.
  for (auto slot = slots.rbegin(); slot != slots.rend() && slot->first > wanted.quantity; ++slot)
    planner.unwanted(slot->second);
  for (int number = 1; number <= wanted.quantity; ++number) planner.wanted(number, slots[number]);
  return planner.done();
}

}  // namespace renga::dynos

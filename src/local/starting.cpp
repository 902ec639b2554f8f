// What may start, and when: what is due, and what waits for others to be healthy.
#include <fmt/format.h>

#include <algorithm>

#include "local/running.h"

namespace renga::local {
namespace {

constexpr std::chrono::seconds long_enough{1};  // to count as up

}  // namespace

void Running::start_what_is_due() {
  const auto now = Steady::now();
  for (auto& slot : slots_)
    if (!ending_ && slot.state == Slot::State::waiting && slot.due && *slot.due <= now &&
        may_start(slot))
      start(slot);
}

bool Running::may_start(Slot& slot) {
  const auto after = plan_.waits.after.find(slot.instance.type);
  if (after == plan_.waits.after.end()) return true;
  for (const auto& type : after->second) {
    if (is_healthy(type)) continue;
    if (!slot.said_waiting) say(slot, fmt::format("waits for {}", type));
    slot.said_waiting = true;
    return false;
  }
  return true;
}

bool Running::is_healthy(const std::string& type) const {
  return std::ranges::all_of(
      slots_, [&](const Slot& slot) { return slot.instance.type != type || slot.healthy; });
}

void Running::start(Slot& slot) {
  flush_lines(slot);
  auto started =
      start_shell(slot.instance.command, environment_of(slot.instance, plan_.environment),
                  plan_.directory, plan_.streams, input_.get());
  slot.pid = started.pid;
  slot.output = std::move(started.output);
  slot.state = Slot::State::running;
  slot.due.reset();
  slot.since = Steady::now();
  slot.healthy = slot.said_waiting = false;
  say(slot, fmt::format("started with pid {}", slot.pid));
  const auto check = plan_.waits.checks.find(slot.instance.type);
  if (check != plan_.waits.checks.end() && check->second.kind != Check::Kind::exit)
    slot.probe.emplace(check->second, slot.instance.port);
}

void Running::look_after_health() {
  const auto now = Steady::now();
  for (auto& slot : slots_) {
    if (!slot.probe || slot.pid < 0) continue;
    const auto& check = plan_.waits.checks.at(slot.instance.type);
    const auto lived = now - slot.since;
    if (check.kind == Check::Kind::up ? lived >= long_enough : slot.probe->step(now)) {
      slot.probe.reset();
      become_healthy(slot);
    } else if (lived >= plan_.health_limit) {
      slot.probe.reset();
      const auto why =
          fmt::format("{} is not healthy after {} s", slot.instance.name,
                      std::chrono::duration_cast<std::chrono::seconds>(plan_.health_limit).count());
      if (plan_.at_exit == AtExit::end_all) return end_all(1, why);
      say(why + ", and what waits for it goes on waiting");
    }
  }
}

void Running::become_healthy(Slot& slot) {
  slot.healthy = true;
  say(slot, "is healthy");
  for (auto& other : slots_) other.said_waiting = false;  // to be looked at again
}

}  // namespace renga::local

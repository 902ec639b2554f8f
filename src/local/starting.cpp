// What may start, and when: what is due, what waits for others to be healthy, scheduled jobs.
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
  if (slot.is_job || after == plan_.waits.after.end()) return true;
  for (const auto& type : after->second) {
    if (is_healthy(type)) continue;
    if (!slot.said_waiting) say(slot, fmt::format("waits for {}", type));
    slot.said_waiting = true;
    return false;
  }
  return true;
}

bool Running::is_healthy(const std::string& type) const {
  return std::ranges::all_of(slots_, [&](const Slot& slot) {
    return slot.is_job || slot.instance.type != type || slot.healthy;
  });
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
  if (!slot.is_job && check != plan_.waits.checks.end() && check->second.kind != Check::Kind::exit)
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

void Running::announce_jobs() {
  for (const auto& job : jobs_.all())
    say(fmt::format("{} ({}) runs `{}`, {}", job.name, job.wish.schedule, job.wish.command,
                    job.next ? "next at " + rfc3339(*job.next) : "never"));
}

// Each run has a slot of its own, so that runs may overlap.
void Running::start_jobs() {
  if (ending_) return;
  const auto goes = [&](const std::string& name) {
    return std::ranges::any_of(slots_,
                               [&](const Slot& slot) { return slot.instance.name == name; });
  };
  for (const auto& [job, what] : jobs_.reach(clock_.now(), goes)) {
    const auto place = static_cast<std::size_t>(job - jobs_.all().data());
    Slot slot{.instance = {job->name, "cron", job->wish.command, 0},
              .prefix = prefix_of(job->name, width_, plan_.instances.size() + place, plan_.colour),
              .due = Steady::now(),
              .is_job = true};
    if (what == Jobs::Due::What::skip)
      say(slot, "is due, but its last run still goes: this one is left out");
    else if (what == Jobs::Due::What::queue)
      say(slot, "is due, and waits for the end of its last run");
    else
      slots_.push_back(std::move(slot));
  }
}

}  // namespace renga::local

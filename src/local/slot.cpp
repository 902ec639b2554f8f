#include "local/slot.h"

#include <unistd.h>

#include <algorithm>

namespace renga::local {

std::vector<pid_t> remains(const Slot& slot) {
  std::vector<pid_t> all;
  const auto add = [&](pid_t pid) {
    all.push_back(pid);
    const auto below = descendants(pid);
    all.insert(all.end(), below.begin(), below.end());
  };
  if (slot.pid > 0) add(slot.pid);
  for (const auto pid : orphans_with(mark(slot.instance)))
    if (pid != slot.pid) add(pid);
  return all;
}

void send(const Slot& slot, int signal) {
  const auto all = remains(slot);
  if (slot.pid > 0) kill(-slot.pid, signal);
  for (const auto pid : all)
    if (slot.pid <= 0 || getpgid(pid) != slot.pid) kill(pid, signal);
}

std::chrono::milliseconds back_off(Slot& slot, Steady::duration lived) {
  using std::chrono::milliseconds;
  constexpr auto long_life = std::chrono::seconds(10);
  constexpr milliseconds first(250), longest(30'000);
  constexpr int most_doublings = 7;
  if (lived >= long_life) slot.quick_deaths = 0;
  const auto doublings = std::min(slot.quick_deaths++, most_doublings);
  return std::min(first * (1 << doublings), longest);
}

std::string mark(const Instance& instance) { return "PS=" + instance.name; }

Environment environment_of(const Instance& instance, Environment environment) {
  if (instance.port > 0) environment["PORT"] = std::to_string(instance.port);
  environment["PS"] = instance.name;
  environment["FOREMAN_WORKER_NAME"] = instance.name;
  return environment;
}

}  // namespace renga::local

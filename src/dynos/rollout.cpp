#include "dynos/rollout.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace renga::dynos {
namespace {

using namespace std::chrono_literals;

constexpr auto longest = 6s;
constexpr auto pause = 20ms;

std::string said_of(const Dyno& failed, const Dyno& old) {
  return fmt::format(
      " !     Release v{} does not come up: {} {}. v{} keeps serving.\n"
      " !     Its log says more: renga logs --dyno {}\n",
      failed.release_version, failed.name(),
      failed.exit_status ? fmt::format("exited with status {}", *failed.exit_status)
                         : "could not be started",
      old.release_version, failed.name());
}

}  // namespace

std::string watch_rollout(const std::function<std::vector<Dyno>()>& dynos_of_app,
                          const Id<releases::Release>& release,
                          const std::function<bool()>& goes_on) {
  const auto give_up = std::chrono::steady_clock::now() + longest;
  std::optional<Dyno> starting;
  while (goes_on() && std::chrono::steady_clock::now() < give_up) {
    auto web = dynos_of_app();
    std::erase_if(web, [](const Dyno& dyno) { return dyno.type != "web"; });
    const auto old = std::ranges::find_if(
        web, [&](const Dyno& dyno) { return dyno.release != release && dyno.state == State::up; });
    if (old == web.end()) return {};
    for (const auto& dyno : web) {
      if (dyno.release != release) continue;
      if (dyno.state == State::up) return {};
      // Where the first crash is made good at once, the second is seen.
      if (dyno.state == State::crashed) return said_of(dyno, *old);
      starting = dyno;
    }
    std::this_thread::sleep_for(pause);
  }
  if (!starting || !goes_on()) return {};
  return fmt::format(
      "       {} of v{} is still starting; what served before serves until it is up.\n",
      starting->name(), starting->release_version);
}

}  // namespace renga::dynos

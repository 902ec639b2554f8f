// Keeper: what dynos use of the machine, and what is said when one wants more memory than its size
// has. The kernel tells of that at once; what changes slowly is looked at every 20 seconds.
#include <fmt/format.h>

#include <algorithm>

#include "dynos/engines/local/keeper.h"

namespace renga::dynos {
namespace {

using std::chrono::seconds;

constexpr seconds look_every{20}, look_tick{5};
constexpr int nearly_all = 95;  // percent of the quota
// One that is short of memory all the time is heard so often.
constexpr seconds listen_again_after{5};

}  // namespace

// At moments that dynos share: each time that the keeper wakes up it goes through all of them.
SteadyTime Keeper::next_look_at_memory(SteadyTime now) {
  const auto at = (now + look_every).time_since_epoch();
  return SteadyTime(at - at % Duration(look_tick));
}

void Keeper::hear_of_memory(SteadyTime now) {
  for (const auto& dyno : memory_watch_.heard()) {
    const auto found = kept_.find(dyno);
    if (found == kept_.end()) continue;
    found->second.wants_memory = true;
    found->second.listen_again = now + listen_again_after;
  }
}

void Keeper::attend_to_memory(Kept& kept, SteadyTime now) {
  if (kept.next_memory <= now) look_at_use(kept, now);
  if (kept.listen_again && *kept.listen_again <= now) {
    kept.listen_again.reset();
    memory_watch_.listen(kept.record.dyno.id);
    kept.wants_memory = true;  // perhaps, while nobody listened
  }
  if (std::exchange(kept.wants_memory, false)) look_at_memory(kept, true);
}

void Keeper::look_at_use(Kept& kept, SteadyTime now) {
  kept.next_memory = next_look_at_memory(now);
  const auto& dyno = kept.record.dyno;
  if (const auto usage = sandboxes_.usage(dyno.id.value)) {
    const auto quota = options_.sizes->of(dyno.size).memory_bytes();
    if (const auto point = kept.meter.sample(dyno, *usage, quota, clock_.now(), now))
      options_.on_usage(dyno.app, *point);
    if (options_.logs_metrics(dyno.app))
      for (const auto& line : metric_lines(dyno, kept.meter.load(), *usage, quota))
        say(kept.record, line);
  }
  look_at_memory(kept, false);
}

// R14 is said when the quota is passed, and every 20 seconds while it is. Beyond the quota there is
// swap alone, so one that has none, or that swaps nothing yet, has passed it when it wants more
// while next to nothing could be dropped.
void Keeper::look_at_memory(Kept& kept, bool wants_more) {
  const auto memory = sandboxes_.memory(kept.record.dyno.id.value);
  if (!memory) return;
  const auto quota = options_.sizes->of(kept.record.dyno.size).memory_bytes();
  const bool was_over = kept.over_quota;
  const auto enough = wants_more || was_over ? quota / 100 * nearly_all : quota;
  kept.over_quota = memory->used_bytes >= enough;
  if (kept.over_quota && !(wants_more && was_over)) {
    say(kept.record,
        fmt::format("Process running mem={}MB({:.1f}%)", memory->used_bytes >> 20,
                    100.0 * static_cast<double>(memory->used_bytes) / static_cast<double>(quota)));
    say(kept.record, "Error R14 (Memory quota exceeded)");
  }
  say_kills(kept, memory->out_of_memory_kills);
}

// The kernel has ended what wanted more than the quota and its swap.
void Keeper::say_kills(Kept& kept, std::int64_t ever) {
  if (ever > kept.memory_kills) say(kept.record, "Error R15 (Memory quota vastly exceeded)");
  kept.memory_kills = ever;
}

}  // namespace renga::dynos

// Courier: delivers what waits, from a few threads. One attempt at a time for a webhook, and its
// oldest delivery first, so that one that hangs holds up itself, and no more than one thread of
// those there are. An attempt that a crash cut off is made again: a receiver may hear of the same
// delivery twice, and knows it by its id.
#pragma once

#include <set>

#include "base/workers.h"
#include "webhooks/sender.h"
#include "webhooks/webhooks.h"

namespace renga::webhooks {

class Courier {
 public:
  Courier(Webhooks& webhooks, Clock& clock, Sender& sender)
      : webhooks_(webhooks),
        clock_(clock),
        sender_(sender),
        workers_("webhooks", [this] { return round(); }) {}
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void start(int threads = 4) { workers_.start(threads); }
  // From any thread; something waits.
  void poke() { workers_.poke_all(); }
  // Everything that is due now, on this thread: for tests.
  void work();

 private:
  Duration round();
  bool take_one();
  void attempt(const Due& due);

  Webhooks& webhooks_;
  Clock& clock_;
  Sender& sender_;
  Locked<std::set<Id<Webhook>>> under_way_;
  Workers workers_;
};

}  // namespace renga::webhooks

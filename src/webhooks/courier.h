// Courier: delivers what waits, from a few threads. One attempt at a time for a webhook, and its
// oldest delivery first, so that one that hangs holds up itself, and no more than one thread of
// those there are. An attempt that a crash cut off is made again: a receiver may hear of the same
// delivery twice, and knows it by its id.
#pragma once

#include <condition_variable>
#include <set>
#include <thread>
#include <vector>

#include "base/locked.h"
#include "webhooks/sender.h"
#include "webhooks/webhooks.h"

namespace renga::webhooks {

class Courier {
 public:
  Courier(Webhooks& webhooks, Clock& clock, Sender& sender)
      : webhooks_(webhooks), clock_(clock), sender_(sender) {}
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void start(int threads = 4);
  // From any thread; something waits.
  void poke();
  // Everything that is due now, on this thread: for tests.
  void work();

 private:
  struct Running {
    bool stop = false;
    std::uint64_t pokes = 0;
    std::set<Id<Webhook>> webhooks;  // with an attempt under way
  };
  void serve();
  bool take_one();
  void attempt(const Due& due);

  Webhooks& webhooks_;
  Clock& clock_;
  Sender& sender_;
  Locked<Running> running_;
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
};

}  // namespace renga::webhooks

// Workers: threads that do, in rounds, whatever is due: when they are poked, and when the time has
// come that the last round named. What there is to do is the owner's to know (rows of a queue,
// mostly), so that a poke that comes during a round is another round behind it, and none is missed.
// Safe from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/locked.h"

namespace renga {

class Workers {
 public:
  // Does everything that is due, and says in how long to look again. Runs on each thread; one with
  // much to do asks `stopping()` in between. What it throws is reported as `part`'s, and the next
  // round comes 5 s later.
  using Round = std::function<Duration()>;
  Workers(std::string part, Round round) : part_(std::move(part)), round_(std::move(round)) {}
  // Waits for the rounds under way. Whatever they use must outlive this: it is the last member.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void start(int threads = 1);
  // There is something to do: for one thread that sleeps, or for each of them, so that what hangs
  // holds up nothing else. Threads in a round have another one behind it.
  void poke();
  void poke_all();
  // No further round begins. Does not wait: what holds a round up can be ended next.
  void stop();
  bool stopping() const { return stopping_; }

 private:
  void serve();

  const std::string part_;
  const Round round_;
  std::atomic<bool> stopping_ = false;
  Locked<std::uint64_t> pokes_;
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
};

}  // namespace renga

// Listening: who hears of what happens, for as long as they are there. News comes from many
// threads, some of which hold the store in a transaction that others wait for; so no lock is held
// while it is heard.
#pragma once

#include <optional>

#include "base/locked.h"

namespace renga::server {

template <class Listeners>
class Listening {
 public:
  void begin(Listeners listeners) { state_.lock()->listeners.emplace(listeners); }

  // Runs `tell` with the listeners, unless they have gone. It may bring news itself.
  template <class Tell>
  void news(Tell tell) {
    std::optional<Listeners> hearing;
    {
      auto state = state_.lock();
      if (!state->listeners) return;
      hearing.emplace(*state->listeners);
      ++state->under_way;
    }
    const Leaving leaving{*this};
    tell(*hearing);
  }

  // From when it returns on, nobody hears of anything.
  void end() {
    auto state = state_.lock();
    state->listeners.reset();
    state.wait(idle_, [&] { return state->under_way == 0; });
  }

 private:
  struct Leaving {
    Listening& listening;
    ~Leaving() {
      auto state = listening.state_.lock();
      if (--state->under_way == 0) listening.idle_.notify_all();
    }
  };
  struct State {
    std::optional<Listeners> listeners;
    int under_way = 0;
  };
  Locked<State> state_;
  std::condition_variable idle_;
};

}  // namespace renga::server

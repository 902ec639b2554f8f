#include "dynos/engines/local/life.h"

#include <fmt/format.h>

#include <algorithm>

namespace renga::dynos {
namespace {
// A kill that left a process alive is sent again: one that sleeps in the kernel dies when it wakes.
constexpr std::chrono::seconds kill_again{10};
}  // namespace

void Life::change(State next, Orders& orders) {
  if (state_ == next) return;
  orders.lines.push_back(
      fmt::format("State changed from {} to {}", name_of(state_), name_of(next)));
  orders.changed = true;
  state_ = next;
}

Life Life::resumed(Kind kind, LifeLimits limits, State state, Duration in_state, SteadyTime now) {
  Life life(kind, limits);
  life.state_ = state;
  switch (state) {
    case State::starting:
      life.phase_ = Phase::booting;
      life.deadline_ = now + limits.boot - std::clamp(in_state, Duration(0), Duration(limits.boot));
      break;
    case State::down:
      life.asked_ = true;
      // It is told again, since nobody knows whether the signal arrived. A web dyno may still have
      // requests; for the others the wait is over at the first tick.
      life.phase_ = Phase::draining;
      life.deadline_ = kind == Kind::web ? now + limits.drain : now;
      break;
    case State::idle:
      life.phase_ = Phase::frozen;
      break;
    default:
      life.phase_ = Phase::running;
      break;
  }
  return life;
}

Life Life::sleeping(Kind kind, LifeLimits limits) {
  Life life(kind, limits);
  life.state_ = State::idle;
  life.phase_ = Phase::over;
  life.put_away_ = true;
  return life;
}

Orders Life::freeze() {
  Orders orders;
  if (phase_ != Phase::running || kind_ == Kind::one_off) return orders;
  phase_ = Phase::frozen;
  orders.lines.emplace_back("Idling");
  change(State::idle, orders);
  orders.signal = Signal::freeze;
  return orders;
}

Orders Life::thaw() {
  Orders orders;
  const bool going = phase_ == Phase::draining && put_away_;
  if (phase_ != Phase::frozen && !going) return orders;
  phase_ = Phase::running;
  put_away_ = false;
  deadline_.reset();
  orders.lines.emplace_back("Unidling");
  change(State::up, orders);
  orders.signal = Signal::thaw;
  return orders;
}

Orders Life::put_away(SteadyTime now) {
  if (phase_ != Phase::frozen) return {};
  put_away_ = true;
  if (kind_ != Kind::web) return terminate(now);
  // The router may just be sending it a request.
  phase_ = Phase::draining;
  deadline_ = now + limits_.drain;
  Orders orders;
  orders.changed = true;
  return orders;
}

Orders Life::launched(SteadyTime now) {
  Orders orders;
  if (phase_ != Phase::fresh) return orders;
  if (kind_ == Kind::web) {
    phase_ = Phase::booting;
    deadline_ = now + limits_.boot;
  } else {
    phase_ = Phase::running;
    change(State::up, orders);
  }
  return orders;
}

Orders Life::refused(std::string why) {
  Orders orders;
  orders.lines.push_back(std::move(why));
  phase_ = Phase::over;
  deadline_.reset();
  change(kind_ == Kind::one_off || asked_ ? State::down : State::crashed, orders);
  return orders;
}

Orders Life::listening() {
  Orders orders;
  if (phase_ != Phase::booting) return orders;
  phase_ = Phase::running;
  deadline_.reset();
  change(State::up, orders);
  return orders;
}

Orders Life::stop(Stop how, SteadyTime now) {
  Orders orders;
  if (phase_ == Phase::over || phase_ == Phase::stopping || phase_ == Phase::killed) return orders;
  if (phase_ == Phase::draining) return how == Stop::now ? terminate(now) : orders;

  asked_ = true;
  const bool serves = kind_ == Kind::web && (phase_ == Phase::running || phase_ == Phase::frozen);
  change(State::down, orders);
  if (serves && how == Stop::after_requests) {
    phase_ = Phase::draining;
    deadline_ = now + limits_.drain;
    return orders;
  }
  auto rest = terminate(now);
  orders.lines.insert(orders.lines.end(), rest.lines.begin(), rest.lines.end());
  orders.signal = rest.signal;
  return orders;
}

Orders Life::expel(std::string why, SteadyTime now) {
  if (phase_ == Phase::killed || phase_ == Phase::over) return {};
  auto orders = kill(now, "Stopping process with SIGKILL");
  orders.lines.insert(orders.lines.begin(), std::move(why));
  return orders;
}

Orders Life::let_go(SteadyTime now) {
  return phase_ == Phase::draining ? terminate(now) : Orders();
}

Orders Life::tick(SteadyTime now) {
  Orders orders;
  if (!deadline_ || now < *deadline_) return orders;
  switch (phase_) {
    case Phase::booting: {
      orders = kill(now, "Stopping process with SIGKILL");
      orders.lines.insert(
          orders.lines.begin(),
          fmt::format("Error R10 (Boot timeout) -> Web process failed to bind to $PORT within {} "
                      "seconds of launch",
                      limits_.boot.count()));
      return orders;
    }
    case Phase::draining:
      return terminate(now);
    case Phase::stopping: {
      orders = kill(now, "Stopping remaining processes with SIGKILL");
      orders.lines.insert(
          orders.lines.begin(),
          fmt::format("Error R12 (Exit timeout) -> Process failed to exit within {} "
                      "seconds of SIGTERM",
                      limits_.stop.count()));
      return orders;
    }
    case Phase::killed:
      orders.signal = Signal::kill;
      deadline_ = now + kill_again;
      return orders;
    default:
      deadline_.reset();
      return orders;
  }
}

Orders Life::terminate(SteadyTime now) {
  Orders orders;
  phase_ = Phase::stopping;
  deadline_ = now + limits_.stop;
  orders.lines.emplace_back("Stopping all processes with SIGTERM");
  orders.signal = Signal::terminate;
  return orders;
}

Orders Life::kill(SteadyTime now, std::string line) {
  Orders orders;
  phase_ = Phase::killed;
  deadline_ = now + kill_again;
  orders.lines.push_back(std::move(line));
  orders.signal = Signal::kill;
  return orders;
}

Orders Life::ended(int status) {
  Orders orders;
  if (phase_ == Phase::over) return orders;
  phase_ = Phase::over;
  deadline_.reset();
  orders.lines.push_back(fmt::format("Process exited with status {}", status));
  if (asked_) {
    change(State::down, orders);
  } else if (put_away_) {
    orders.changed = true;  // and idle still
  } else if (kind_ == Kind::one_off) {
    // Heroku's log calls it complete; the API has no such state.
    orders.lines.push_back(fmt::format("State changed from {} to complete", name_of(state_)));
    orders.changed = true;
    state_ = State::down;
  } else {
    change(State::crashed, orders);
  }
  return orders;
}

}  // namespace renga::dynos

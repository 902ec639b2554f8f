// Life: the state machine of one dyno, from its launch to its end. Pure: it hears what happened and
// what time it is, and answers with what to log, which signal to send and whether the state
// changed. It does no I/O, starts no timer and belongs to whoever owns the dyno.
//
//   starting -> up          the port accepts (web), or the command runs (the others)
//   starting -> crashed     no port within the boot limit (R10), or the command ended
//   up -> crashed           the command of a formation dyno ended without being asked, whatever its
//   status any -> down             asked to stop: web dynos first finish their requests (draining),
//   then SIGTERM,
//                           then, after the stop limit, SIGKILL (R12)
//   up -> down              the command of a one-off dyno ended: "complete" in the log
//   up -> idle              frozen, since nobody asks for the app; idle -> up when somebody does
//   idle -> idle            frozen for long: its processes are told to end, and the dyno is asleep
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dynos/dyno.h"

namespace renga::dynos {

struct LifeLimits {
  std::chrono::seconds boot{60};
  std::chrono::seconds stop{30};
  std::chrono::seconds drain{30};
};

enum class Signal { none, terminate, kill, freeze, thaw };

// What the owner does next: first the record (`changed`), then the lines, then the signal.
struct Orders {
  bool changed = false;
  std::vector<std::string> lines;  // of source heroku
  Signal signal = Signal::none;
};

class Life {
 public:
  enum class Kind { web, other, one_off };
  enum class Stop { after_requests, now };

  Life(Kind kind, LifeLimits limits) : kind_(kind), limits_(limits) {}

  // One that control finds running after its own restart, `in_state` after its last change.
  // State::down says that it was asked to stop: its requests are waited for, and it is told again.
  // State::idle: it is frozen; one without a process is asleep().
  static Life sleeping(Kind kind, LifeLimits limits);
  static Life resumed(Kind kind, LifeLimits limits, State state, Duration in_state, SteadyTime now);

  Orders launched(SteadyTime now);        // its processes run
  Orders refused(std::string why);        // it could not be launched: `why` is an R line
  Orders listening();                     // its port accepts connections
  Orders stop(Stop how, SteadyTime now);  // asked to go; again is a no-op, but `now` ends draining
  Orders let_go(SteadyTime now);          // the router has no request of it any more
  Orders freeze();                        // only one that is up
  Orders thaw();                          // only one that is frozen
  Orders put_away(SteadyTime now);        // the same: it ends and stays idle
  Orders expel(std::string why, SteadyTime now);  // it harms others: killed, and that is a crash
  Orders tick(SteadyTime now);                    // to be called at deadline()
  Orders ended(int status);                       // exit status, or 128 + signal

  State state() const { return state_; }
  bool probing() const { return phase_ == Phase::booting && kind_ == Kind::web; }
  bool draining() const { return phase_ == Phase::draining; }
  bool stopping() const { return asked_; }
  bool over() const { return phase_ == Phase::over; }
  bool frozen() const { return phase_ == Phase::frozen; }
  bool put_away() const { return put_away_; }                      // ending, or asleep
  bool asleep() const { return over() && state_ == State::idle; }  // without a process
  // When tick() has something to do; nothing when there is nothing to wait for.
  std::optional<SteadyTime> deadline() const { return deadline_; }

 private:
  enum class Phase { fresh, booting, running, frozen, draining, stopping, killed, over };

  Orders terminate(SteadyTime now);
  Orders kill(SteadyTime now, std::string line);
  void change(State next, Orders& orders);

  Kind kind_;
  LifeLimits limits_;
  Phase phase_ = Phase::fresh;
  State state_ = State::starting;
  bool asked_ = false;
  bool put_away_ = false;
  std::optional<SteadyTime> deadline_;
};

}  // namespace renga::dynos

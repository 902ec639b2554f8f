// Slot: one process of the formation through all its lives.
#pragma once

#include <signal.h>

#include <chrono>
#include <optional>
#include <string>

#include "local/child.h"
#include "local/prefix.h"
#include "local/probe.h"
#include "local/procfile.h"

namespace renga::local {

using Steady = std::chrono::steady_clock;

struct Slot {
  enum class State {
    waiting,  // to be started at `due`, or, without one, by a change or a person
    running,
    stopping,  // to be started again once nothing of it is left
    over,      // has done what it was there for
  };

  Instance instance;
  Prefix prefix;
  State state = State::waiting;
  std::optional<Steady::time_point> due = {};
  pid_t pid = -1;      // -1: reaped
  os::Fd output = {};  // of its present life, until its end of file
  Lines lines = {};
  Steady::time_point since = {};       // of the present state
  Steady::time_point kill_after = {};  // when stopping
  int quick_deaths = 0;
  std::optional<Probe> probe = {};  // of its present life, until it is healthy
  bool healthy = false;
  bool said_waiting = false;
  int holder = 0;       // who is attached to its terminal, and reads it in our place; 0: nobody
  bool is_job = false;  // a run of a scheduled job, which goes when it is over
};

// All that is left of it: its session, what it started, and what forked away from it.
std::vector<pid_t> remains(const Slot& slot);
// To all of these, and to its process group at once.
void send(const Slot& slot, int signal);

// How long to wait before a process that lived this long is started again.
std::chrono::milliseconds back_off(Slot& slot, Steady::duration lived);

// "PS=web.1": what marks its processes, wherever they fork to.
std::string mark(const Instance& instance);
Environment environment_of(const Instance& instance, Environment environment);

}  // namespace renga::local

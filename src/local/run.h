// `renga local`: runs the processes of a Procfile until one of them ends or somebody ends them all.
// One thread, one poll loop. Everything that came from a process is found and ended with it: each
// has a session of its own, and we are the subreaper of what forks away.
#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "local/child.h"
#include "local/prefix.h"
#include "local/procfile.h"
#include "local/waits.h"
#include "scheduler/wishes.h"

namespace renga::local {

enum class AtExit {
  end_all,      // of any process: the others are ended too
  start_again,  // with back-off
  wait,         // for a change of a file
};

struct Plan {
  std::vector<Instance> instances;
  Environment environment;  // of each, to which PORT and its name are added
  std::filesystem::path directory;
  std::filesystem::path sockets;  // for local:ps, :restart and :attach; empty: none
  std::chrono::milliseconds exit_limit = std::chrono::seconds(5);  // from SIGTERM to SIGKILL
  AtExit at_exit = AtExit::end_all;
  Waits waits;
  std::chrono::milliseconds health_limit = std::chrono::minutes(1);  // from its start
  std::vector<scheduler::Wish> jobs;  // run when they are due; their end ends nothing else
  Clock* clock = nullptr;             // theirs; none: the system's
  bool watch = false;                 // start all again when a file changes
  Streams streams = Streams::pipe;
  Colour colour = Colour::off;
  bool times = true;  // before each line
  int out = 1;
};

// Returns when no process is left, or when nothing is left to be run. The exit status of the first
// one that ended (128 + signal), or 128 + the signal that ended us; 1 when one that others wait for
// was not healthy in time. While it runs SIGINT, SIGTERM, SIGHUP (end all), SIGUSR1 and SIGUSR2
// (passed on) and SIGCHLD are its own, and every child of this process is reaped.
Result<int> run(const Plan& plan);

}  // namespace renga::local

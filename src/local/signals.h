// Signals: ours as a descriptor, and us as the parent of orphans. Both are as before at the end.
#pragma once

#include "os/signal_fd.h"

namespace renga::local {

class Signals {
 public:
  // SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGWINCH are its own while it lives, on
  // the thread that made it; SIGPIPE is ignored. Throws std::system_error.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int descriptor() const { return signals_.fd(); }
  int next() { return signals_.next(); }  // 0: none

 private:
  os::SignalFd signals_;
  void (*pipe_before_)(int) = SIG_DFL;
  int reaper_before_ = 0;
};

}  // namespace renga::local

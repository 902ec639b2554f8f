#include "local/signals.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fault.h"

namespace renga::local {

Signals::Signals() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH})
    sigaddset(&ours, number);
  pthread_sigmask(SIG_BLOCK, &ours, &before_);
  pipe_before_ = signal(SIGPIPE, SIG_IGN);
  prctl(PR_GET_CHILD_SUBREAPER, &reaper_before_);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signals_ = os::Fd(signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals_) fault("listen to signals");
}

Signals::~Signals() {
  prctl(PR_SET_CHILD_SUBREAPER, reaper_before_);
  signal(SIGPIPE, pipe_before_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int Signals::next() {
  signalfd_siginfo info{};
  return ::read(signals_.get(), &info, sizeof info) == sizeof info
             ? static_cast<int>(info.ssi_signo)
             : 0;
}

}  // namespace renga::local

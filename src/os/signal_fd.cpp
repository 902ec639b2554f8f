#include "os/signal_fd.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fault.h"

namespace renga::os {

SignalFd::SignalFd(std::initializer_list<int> signals) {
  sigset_t ours;
  ::sigemptyset(&ours);
  for (const int number : signals) ::sigaddset(&ours, number);
  fd_ = Fd(::signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) fault("listen to signals");
  ::pthread_sigmask(SIG_BLOCK, &ours, &before_);
}

SignalFd::~SignalFd() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

int SignalFd::next() {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                              : 0;
}

}  // namespace renga::os

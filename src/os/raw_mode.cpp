#include "os/raw_mode.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace renga::os {

RawMode::RawMode(int fd, bool wanted) : fd_(fd), set_(wanted && ::tcgetattr(fd, &before_) == 0) {
  if (!set_) return;
  auto raw = before_;
  ::cfmakeraw(&raw);
  ::tcsetattr(fd_, TCSADRAIN, &raw);
}

RawMode::~RawMode() {
  if (set_) ::tcsetattr(fd_, TCSADRAIN, &before_);
}

SizeChanges::SizeChanges(bool wanted) {
  if (!wanted) return;
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGWINCH);
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  fd_ = Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

SizeChanges::~SizeChanges() {
  if (fd_) ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SizeChanges::take() {
  signalfd_siginfo info;
  while (::read(fd_.get(), &info, sizeof info) > 0) continue;
}

}  // namespace renga::os

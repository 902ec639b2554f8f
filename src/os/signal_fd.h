// Signals as a descriptor, for who waits for other descriptors too.
#pragma once

#include <signal.h>

#include <initializer_list>

#include "os/fd.h"

namespace renga::os {

// Blocks the signals while it lives, for the thread that made it and those that this thread starts
// meanwhile: made before any thread, it is all that hears of them. The mask is as before at the
// end.
class SignalFd {
 public:
  // Throws std::system_error.
  explicit SignalFd(std::initializer_list<int> signals);
  ~SignalFd();
  SignalFd(const SignalFd&) = delete;
  SignalFd& operator=(const SignalFd&) = delete;

  int fd() const { return fd_.get(); }  // readable when one has come
  int next();                           // the number of one that has come; 0: none. Never waits

 private:
  sigset_t before_{};
  Fd fd_;
};

}  // namespace renga::os

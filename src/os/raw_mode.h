// A person's terminal, lent to a program elsewhere: every key goes there, and it hears of a
// window's new size. Both put back what they found.
#pragma once

#include <termios.h>

#include <optional>

#include "os/signal_fd.h"

namespace renga::os {

// Raw while it lives, if `wanted` and `fd` is a terminal: Ctrl-C is a byte too.
class RawMode {
 public:
  RawMode(int fd, bool wanted);
  ~RawMode();
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  int fd_;
  termios before_{};
  bool set_;
};

// Readable when the size of this process's terminal has changed (SIGWINCH, which it blocks). Not
// wanted: never. Belongs to the thread that made it.
class SizeChanges {
 public:
  explicit SizeChanges(bool wanted);

  int fd() const { return changes_ ? changes_->fd() : -1; }
  void take();

 private:
  std::optional<SignalFd> changes_;
};

}  // namespace renga::os

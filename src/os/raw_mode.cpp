#include "os/raw_mode.h"

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
  if (wanted) changes_.emplace({SIGWINCH});
}

void SizeChanges::take() {
  while (changes_ && changes_->next() != 0) continue;
}

}  // namespace renga::os

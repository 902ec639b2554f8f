#include "local/output.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace renga::local {

Output::Output(int fd) : fd_(fd) {
  struct stat about {};
  if (fstat(fd, &about) != 0) return;
  whole_ = S_ISREG(about.st_mode);
  // O_NONBLOCK belongs to what was opened, which the shell before us shares: so open it anew.
  if (S_ISFIFO(about.st_mode))
    own_ = os::Fd(
        ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

void Output::flush() {
  while (waiting() > 0 && !closed_) {
    auto count = std::min(waiting(), std::size_t{64} << 10);
    if (!own_ && !whole_) {
      // Writable means that this much fits.
      pollfd one{fd_, POLLOUT, 0};
      if (::poll(&one, 1, 0) <= 0) break;
      count = std::min(count, std::size_t{PIPE_BUF});
    }
    const auto written = ::write(fd(), text_.data() + written_, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) {
      closed_ = true;
      break;
    }
    written_ += static_cast<std::size_t>(written);
  }
  if (closed_ || waiting() == 0) {
    text_.clear();
    written_ = 0;
  } else if (written_ > enough) {
    text_.erase(0, written_);
    written_ = 0;
  }
}

}  // namespace renga::local

#include "os/pty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <cstdlib>

#include "base/fault.h"

namespace renga::os {

Pty open_pty(int columns, int rows) {
  Pty pty;
  pty.master = Fd(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!pty.master) fault("open /dev/ptmx");
  if (::unlockpt(pty.master.get()) != 0) fault("unlockpt");
  // By the master and not by its name: /dev/pts may be another instance's.
  pty.slave = Fd(::ioctl(pty.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.slave) fault("TIOCGPTPEER");
  set_window_size(pty.master.get(), columns, rows);
  return pty;
}

void set_window_size(int fd, int columns, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(std::clamp(columns, 1, 65'535));
  size.ws_row = static_cast<unsigned short>(std::clamp(rows, 1, 65'535));
  ::ioctl(fd, TIOCSWINSZ, &size);
}

}  // namespace renga::os

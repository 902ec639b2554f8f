// Pty: a pseudo-terminal of the host's. What one side writes the other reads; when nobody holds the
// slave any more, reading the master gives EIO behind the last byte.
#pragma once

#include "os/fd.h"

namespace renga::os {

struct Pty {
  Fd master;  // non-blocking
  Fd slave;
};

// Throws std::system_error when the kernel has none left. Neither side becomes a controlling
// terminal.
Pty open_pty(int columns, int rows);

// Programs on the terminal get SIGWINCH. Sizes are cut to 1..65535; what is no terminal is left
// alone.
void set_window_size(int fd, int columns, int rows);

}  // namespace renga::os

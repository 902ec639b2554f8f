#include "local/signals.h"

#include <sys/prctl.h>

namespace renga::local {

Signals::Signals() : signals_{SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH} {
  pipe_before_ = signal(SIGPIPE, SIG_IGN);
  prctl(PR_GET_CHILD_SUBREAPER, &reaper_before_);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Signals::~Signals() {
  prctl(PR_SET_CHILD_SUBREAPER, reaper_before_);
  signal(SIGPIPE, pipe_before_);
}

}  // namespace renga::local

// The two ends of an attached dyno's streams: the near one is control's, the far one the dyno's.
#pragma once

#include "dynos/engine.h"

namespace renga::dynos {

struct AttachEnds {
  Attachment near;
  Attachment far;  // blocking, as programs expect
};

// Both throw std::system_error when the machine has no more of them.
AttachEnds terminal_ends(const Window& window);
AttachEnds pipe_ends();

}  // namespace renga::dynos

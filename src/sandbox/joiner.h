// Joiner: puts a command into a sandbox that runs already, in the spawner's process. Three
// processes, so that none has more than it needs:
//   helper    a copy of the spawner that stays on the host's side: it waits for the command, writes
//             its status to the leash, and ends it when the leash is let go
//   entrant   enters the sandbox's control groups and namespaces, forks once, and is gone
//   command   the entrant's child and, by CLONE_PARENT, the helper's: gives up every privilege, and
//             becomes renga-init's sealed copy, which becomes the command (command.h)
// Nothing inside can see the first two: they are not in its pid namespace.
#pragma once

#include "base/result.h"
#include "os/fd.h"
#include "sandbox/cgroups.h"
#include "sandbox/exec.h"
#include "sandbox/spawner.h"

namespace renga::sandbox {

struct Joining {
  Running running;
  Cgroups::Group group;
  os::Fd plan;  // for renga-init
  int init = -1;
  int input = -1, output = -1;
  // A socket. The helper writes one int, the exit status (128 + signal), at the end; who closes the
  // other end hangs the command up: SIGHUP, and SIGKILL five seconds later.
  int leash = -1;
};

// Returns once the command was executed. Kind::unavailable with the reason when it could not be.
Result<void> join_sandbox(const Joining& joining);

}  // namespace renga::sandbox

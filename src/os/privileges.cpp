#include "os/privileges.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fault.h"

namespace renga::os {

void become_user(unsigned user) {
  // Of the thread that calls, and those it makes: hence the one thread.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fault("give up new privileges");
  // The kernel drops all capabilities with the last of the three user ids that was root's.
  if (::setgroups(0, nullptr) != 0 || ::setresgid(user, user, user) != 0 ||
      ::setresuid(user, user, user) != 0) {
    fault("become another user");
  }
}

}  // namespace renga::os

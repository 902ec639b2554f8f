// Giving up root for good: for programs that open what needs it first and meet strangers' bytes
// afterwards.
#pragma once

namespace renga::os {

// This process becomes `user`, with the group of the same number and no other, no capabilities, and
// no way to gain any by running another program. Call it while there is one thread. Throws.
void become_user(unsigned user);

}  // namespace renga::os

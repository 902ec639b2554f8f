// What becomes of the spawner's descriptors and limits in a process that will be renga-init.
// Private to this room.
#pragma once

#include <vector>

namespace renga::sandbox {

// A copy of a descriptor that stays clear of renga-init's numbers.
int out_of_the_way(int fd);
// Closes all from 3 on but these, which get new numbers.
void keep_only(const std::vector<int*>& descriptors);
// Puts each descriptor at its number and makes all others close with the exec.
void arrange_descriptors(const std::vector<int>& descriptors);
// Open files as Heroku's dynos have them, and no core dumps. Only ever lower.
void set_sandbox_limits();

}  // namespace renga::sandbox

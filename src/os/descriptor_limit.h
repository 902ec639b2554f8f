// How many descriptors this process may have open.
#pragma once

#include <cstddef>

namespace renga::os {

// Asks for as many as `wanted`, which root is given and others up to their hard limit. Never lowers
// what there is. Returns how many there are.
std::size_t allow_descriptors(std::size_t wanted);

// Has the kernel make room for so many at once, 8 bytes each; of those that are allowed. Otherwise
// its table doubles as they are opened, and in a process of several threads whoever opens one then
// waits some 10 ms, until no processor can be looking at the old table. So: before there are any.
// Without memory for it the table grows as it would have.
void make_room_for_descriptors(std::size_t count);

}  // namespace renga::os

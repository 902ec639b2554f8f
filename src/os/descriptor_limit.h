// How many descriptors this process may have open.
#pragma once

#include <cstddef>

namespace renga::os {

// Asks for as many as `wanted`, which root is given and others up to their hard limit. Never lowers
// what there is. Returns how many there are.
std::size_t allow_descriptors(std::size_t wanted);

}  // namespace renga::os

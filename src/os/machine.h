// What the machine has.
#pragma once

#include <cstdint>

namespace renga::os {

// Bytes of memory; 0 when the kernel does not say.
std::int64_t machine_memory();

}  // namespace renga::os

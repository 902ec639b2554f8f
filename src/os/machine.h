// What the machine has, and which start of its kernel this is.
#pragma once

#include <cstdint>
#include <string>

namespace renga::os {

// Bytes of memory; 0 when the kernel does not say.
std::int64_t machine_memory();

// Another one after every start of the kernel: process ids mean nothing any more then, nor may
// files be whole that nobody has synced.
const std::string& boot_id();

}  // namespace renga::os

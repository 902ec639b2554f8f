// A log's memory as renga-init makes it, or nearly so.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

#include "os/fd.h"
#include "sandbox/log_ring.h"

namespace renga::sandbox {

inline os::Fd log_memory(std::size_t size = sizeof(LogRing), int seals = F_SEAL_SHRINK) {
  os::Fd memory(::memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(size)) != 0 ||
      ::fcntl(memory.get(), F_ADD_SEALS, seals) != 0)
    throw std::runtime_error("no memory for a log");
  return memory;
}

}  // namespace renga::sandbox

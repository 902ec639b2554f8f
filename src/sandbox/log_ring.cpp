#include "sandbox/log_ring.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace renga::sandbox {

std::shared_ptr<LogRing> map_log_ring(int memory) {
  struct stat info = {};
  const int seals = fcntl(memory, F_GET_SEALS);
  // Shrunk, it would be a bus error to touch.
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(memory, &info) != 0 ||
      info.st_size != static_cast<off_t>(sizeof(LogRing)))
    return nullptr;
  void* mapped = mmap(nullptr, sizeof(LogRing), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (mapped == MAP_FAILED) return nullptr;
  return {static_cast<LogRing*>(mapped), [](LogRing* ring) { munmap(ring, sizeof(LogRing)); }};
}

}  // namespace renga::sandbox

#include "os/footprint.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace renga::os {
namespace {

// A read-only segment is its file, byte for byte: relocations that write into code (DT_TEXTREL) are
// not built any more, and would have made it writable.
int give_back(dl_phdr_info* info, std::size_t, void*) {
  // The kernel's own page of code is no file.
  if (std::string_view(info->dlpi_name).starts_with("linux-")) return 0;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    // Whole pages that are this segment's alone: its first and last may be shared with data.
    const auto begin = (info->dlpi_addr + segment.p_vaddr + page - 1) & ~(page - 1);
    const auto end = (info->dlpi_addr + segment.p_vaddr + segment.p_memsz) & ~(page - 1);
    if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void give_back_memory() {
  malloc_trim(0);
  dl_iterate_phdr(give_back, nullptr);
}

}  // namespace renga::os

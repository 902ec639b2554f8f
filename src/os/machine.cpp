#include "os/machine.h"

#include <unistd.h>

#include "base/text.h"
#include "os/file.h"

namespace renga::os {

std::int64_t machine_memory() {
  const auto pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? std::int64_t{pages} * size : 0;
}

const std::string& boot_id() {
  static const std::string id(
      text::trim(read_file("/proc/sys/kernel/random/boot_id").value_or("")));
  return id;
}

}  // namespace renga::os

#include "os/descriptor_limit.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/fault.h"
#include "os/fd.h"

namespace renga::os {

std::size_t allow_descriptors(std::size_t wanted) {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0) fault("getrlimit");
  if (now.rlim_cur >= wanted) return now.rlim_cur;
  const rlimit more{.rlim_cur = wanted, .rlim_max = std::max<rlim_t>(wanted, now.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &more) == 0) return wanted;
  now.rlim_cur = std::min<rlim_t>(wanted, now.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &now) != 0) fault("setrlimit");
  return now.rlim_cur;
}

void make_room_for_descriptors(std::size_t count) {
  const Fd any(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd last(::fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(count) - 1));
}

}  // namespace renga::os

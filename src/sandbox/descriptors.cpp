#include "sandbox/descriptors.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "base/fault.h"

namespace renga::sandbox {
namespace {

// What Heroku's dynos have.
constexpr rlim_t most_open_files = 10'000;

void set_limit(__rlimit_resource resource, rlim_t most) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0) fault("read a resource limit");
  // Only ever lower: raising takes a capability that even root may lack.
  limit.rlim_max = std::min(limit.rlim_max, most);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(resource, &limit) != 0) fault("set a resource limit");
}

}  // namespace

void set_sandbox_limits() {
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_NOFILE, most_open_files);
}

int out_of_the_way(int fd) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);
  if (copy < 0) fault("duplicate a descriptor for renga-init");
  return copy;
}

void keep_only(const std::vector<int*>& descriptors) {
  for (auto* fd : descriptors) *fd = out_of_the_way(*fd);
  int number = 3;
  for (auto* fd : descriptors) {
    if (dup3(*fd, number, O_CLOEXEC) < 0) fault("keep a descriptor");
    *fd = number++;
  }
  if (syscall(SYS_close_range, number, ~0U, 0) != 0) fault("close the spawner's descriptors");
}

void arrange_descriptors(const std::vector<int>& descriptors) {
  std::vector<int> copies;
  for (const int fd : descriptors) copies.push_back(fd < 0 ? -1 : out_of_the_way(fd));
  int number = 0;
  for (const int copy : copies) {
    if (copy >= 0 && dup2(copy, number) < 0) fault("place a descriptor for renga-init");
    if (copy < 0) close(number);
    ++number;
  }
  if (syscall(SYS_close_range, number, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    fault("keep the spawner's descriptors from renga-init");
}

}  // namespace renga::sandbox

// New processes in new namespaces, and user namespaces that only carry an id map.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "os/fd.h"

namespace renga::os {

struct Cloned {
  pid_t pid = -1;  // 0 in the child
  Fd pidfd;
};

// fork() with clone3(2)'s flags (CLONE_NEW...), and into a cgroup of the v2 hierarchy when one is
// given. With CLONE_PARENT the child is the caller's parent's. The caller must have one thread
// only: the child is a copy of it that may do anything.
Cloned fork_into(std::uint64_t flags, int cgroup = -1);

// Maps ids 0 to count-1 inside to `base` and up outside.
void map_ids(pid_t pid, std::uint32_t base, std::uint32_t count);

// A user namespace with that map and no process in it: what idmapped mounts are given.
Fd id_map(std::uint32_t base, std::uint32_t count);

// Whether processes in new user namespaces can be made. Throws, with what to do, when the host
// forbids it. In a chroot the kernel refuses them: then this process (of one thread, and its
// children) moves to a mount namespace of its own, whose root is what was its root directory. Every
// path means what it meant before.
void ensure_user_namespaces();

// Moves this process (of one thread) to a mount namespace of its own: what the host mounts later is
// still to be seen here, and nothing of what is mounted here there.
void own_mount_namespace();

// Calls `work` with this thread in the process's network namespace, and comes back. When it cannot
// come back it ends the program: everything after would happen in the wrong place.
void in_network_of(const Fd& pidfd, const std::function<void()>& work);

// When the process began, in clock ticks since boot (field 22 of /proc/PID/stat); 0 when there is
// none, or only its remains (a zombie).
std::uint64_t start_time(pid_t pid);

}  // namespace renga::os

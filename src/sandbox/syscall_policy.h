// Which system calls a sandbox may make: the default policy of the container world (moby's, without
// any capability), as a BPF program that is loaded into every sandbox. Built in the program rather
// than with libseccomp, since a tree of ranges is a sixth as long, so that every start loads it
// sooner and every call passes it sooner.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace renga::sandbox {

// Allowed calls run. Those that only the host's administrator needs say EPERM; those that this
// policy does not know say ENOSYS, so that libraries fall back to what they did before them.
// Another architecture's calls (i386, x32) end the process.
std::vector<sock_filter> syscall_policy();

}  // namespace renga::sandbox

// The root file system of a sandbox, built by the sandbox's first process in its own namespaces, as
// root of its own user namespace, before it becomes renga-init. Everything that needs the host's
// power (idmapped mounts, the overlay) comes ready made as detached mounts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/fd.h"
#include "sandbox/stack.h"

namespace renga::sandbox {

// What one sandbox has beside its stack.
struct RootPlan {
  os::Fd app;  // detached; attached at /app. None: a mount of the sandbox's own is
  struct Mount {
    std::string target;
    os::Fd mount;
  };
  std::vector<Mount> mounts;  // in this order, after /app
  std::string host_name;
  std::string address;
  std::string resolver_configuration;
  // The limit, which programs look for; /tmp may grow as large, since what is in it counts, too.
  std::int64_t memory_bytes = 0;
};

// Builds what all sandboxes of a stack have in common, makes it the process's root, still
// writable, and lets go of the host's.
os::Fd enter_root(const std::vector<StackPart>& stack);
// Adds what is this sandbox's own, and closes it for writing.
void furnish_root(const os::Fd& root, const RootPlan& plan);

}  // namespace renga::sandbox

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

struct RootPlan {
  std::vector<StackPart> stack;
  os::Fd app;  // detached; attached at /app
  struct Mount {
    std::string target;
    os::Fd mount;
  };
  std::vector<Mount> mounts;  // in this order, after /app
  std::string host_name;
  std::string resolver_configuration;
  std::int64_t memory_bytes = 0;  // the limit, which programs look for
  std::int64_t tmp_bytes = 0;     // how large /tmp may grow; what is in it counts as memory, too
};

// Builds it, makes it the process's root, and lets go of the host's. `address` is called when it is
// needed: late, since the network is made at the same time by another process.
template <class Address>
void enter_root(const RootPlan& plan, Address address);

// The three steps of enter_root.
os::Fd build_root(const RootPlan& plan);
void write_hosts(const os::Fd& root, const RootPlan& plan, const std::string& address);
void pivot_into(const os::Fd& root);

template <class Address>
void enter_root(const RootPlan& plan, Address address) {
  const auto root = build_root(plan);
  write_hosts(root, plan, address());
  pivot_into(root);
}

}  // namespace renga::sandbox

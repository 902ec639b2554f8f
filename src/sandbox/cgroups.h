// Cgroups: the control groups of one server's sandboxes, in every tree that is needed:
// TREE/renga-<server_name>/<place>. A place is a UUID that the groups have before anybody knows
// whose they will be (holder.h): which sandbox has which is in its run directory. The empty place
// has none: of a sandbox that is gone. Memory, CPU and pids are limited on v2 where its tree has
// the controller and else on v1; the v2 tree, wherever there is one, also kills, freezes and tells
// when nothing is left. Holds no state but paths: spawner and control each have one and see the
// same.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/cgroup.h"
#include "os/fd.h"
#include "sandbox/freezer.h"
#include "sandbox/spawner.h"
#include "sandbox/spec.h"

namespace renga::sandbox {

class Cgroups {
 public:
  Cgroups(os::CgroupTrees trees, const std::string& server_name);

  // Why sandboxes cannot be limited here.
  static std::optional<std::string> unsupported(const os::CgroupTrees& trees);

  // Makes this server's directories; before the first create().
  void prepare();
  // Takes them away again, where no sandbox has groups in them.
  void leave() const;

  // A new sandbox's groups, with the usual limits. `v2` is for CLONE_INTO_CGROUP; a process puts
  // itself into the others by writing "0" to each of `attach`.
  struct Group {
    os::Fd v2;
    std::vector<os::Fd> attach;
  };
  Group create(const std::string& place);
  // Of one that has the usual limits: writes what differs.
  void limit(const std::string& place, const Limits& limits);

  // Those that there are.
  Group open(const std::string& place) const;

  // What is in it, by the pids of this process's namespace.
  std::vector<pid_t> processes(const std::string& place) const;
  bool holds(const std::string& place, pid_t pid) const;
  // SIGKILL to all at once, where the kernel can.
  void kill(const std::string& place) const;
  // Stops all of it where it is, or lets it go on. False where the kernel cannot, or not at once.
  bool freeze(const std::string& place, bool frozen) const;
  bool frozen(const std::string& place) const;
  // False while it still holds processes, or what the kernel has not yet let go of.
  bool remove(const std::string& place) const;
  std::optional<Spawner::Memory> memory(const std::string& place) const;
  std::optional<Usage> usage(const std::string& place) const;
  MemoryEvents memory_events(const std::string& place) const;

 private:
  bool freezes_on_v1() const { return !trees_.v2 && trees_.v1.contains("freezer"); }
  // As much again may be swapped out, where the host has swap.
  void limit_memory(const std::string& place, std::int64_t bytes);
  std::filesystem::path limited_by(const std::string& controller) const;  // of the server
  std::vector<std::filesystem::path> all() const;

  os::CgroupTrees trees_;
  std::string directory_;
};

}  // namespace renga::sandbox

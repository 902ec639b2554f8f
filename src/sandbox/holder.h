// Holder: a process in namespaces and control groups of its own that waits to be a sandbox. Every
// sandbox begins as one and takes three steps, whether it waited between them or not:
//   made      namespaces and control groups; whose it will be nobody knows
//   settled   an app's range of ids, a root file system made of a stack, and in it a process that
//             has confined itself and waits to be the command
//   started   the app's directory and mounts: the command is let go, and this becomes renga-init
// What needs the host's power comes ready made over a socket, as detached mounts and open files.
// The process ends by itself when this object, or the program that has it, is gone.
//
// Belongs to the spawner's only thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "os/namespaces.h"
#include "sandbox/cgroups.h"
#include "sandbox/root.h"

namespace renga::sandbox {

// What a started one is given beside its root.
struct HolderStart {
  RootPlan root;
  os::Fd plan;                       // for renga-init
  os::Fd exit_file;                  // for writing
  os::Fd log_directory;              // none: without a log
  std::optional<int> input, output;  // none: /dev/null
};

class Holder {
 public:
  Holder() = default;  // none
  // `init` is renga-init's program. Throws when the kernel refuses.
  static Holder make(const Cgroups::Group& group, int init);
  Holder(Holder&&) = default;
  Holder& operator=(Holder&&) = default;

  const os::Cloned& process() const { return process_; }

  // Both return at once, and what goes wrong inside is told by wait_until_started().
  // `waiting_plan` is of renga-init as the command that waits (init_plan.h).
  void settle(std::uint32_t uid_base, const std::vector<StackPart>& stack, int waiting_plan);
  void start(const HolderStart& with);
  // wait_until_started() would not wait.
  bool has_answered() const;
  // Until its command was let go, at most 20 s. Kind::unavailable with the reason when it is not.
  Result<void> wait_until_started();
  void kill();

 private:
  Holder(os::Cloned process, os::Fd socket)
      : process_(std::move(process)), socket_(std::move(socket)) {}

  os::Cloned process_;
  os::Fd socket_;
};

}  // namespace renga::sandbox

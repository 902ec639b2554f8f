// Starter: makes one sandbox at a time, in the spawner's process, of a holder that waited for it or
// of a new one. The order is that of a crash: the run directory comes first and goes last, the
// state file is written before the command may run, and a sandbox whose start was cut off ends by
// itself, because its first process waits for a word that never comes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "sandbox/cgroups.h"
#include "sandbox/exec.h"
#include "sandbox/holder_pool.h"
#include "sandbox/network.h"
#include "sandbox/private_mounts.h"
#include "sandbox/run_directory.h"
#include "sandbox/spawner.h"
#include "sandbox/spec.h"
#include "sandbox/stack.h"

namespace renga::sandbox {

// Belongs to the spawner's only thread.
class Starter {
 public:
  // Prepares the host: directories, control groups, the network. Throws when it cannot.
  // `holders`: how many are made ahead.
  Starter(const SpawnerOptions& options, std::size_t holders);

  // `spec` has been checked. Kind::unavailable with the reason when the kernel refuses; nothing is
  // left behind then.
  Result<Running> start(const Spec& spec, std::optional<int> output, std::optional<int> input);
  // Beside what the sandbox runs; see joiner.h for the leash.
  Result<void> exec(const Exec& exec, int input, int output, int leash);
  void signal(const std::string& id, int number);
  std::string free_address() { return network_.free_address(); }
  void kill(const std::string& id);
  // Takes away the control groups and hides the run directory; false while there is still something
  // in it.
  bool remove(const std::string& id);
  // Takes away what the server has on the host beside its sandboxes; false while one runs.
  bool leave();
  // Makes ready for a start to come; false when there is nothing to do. Throws what the kernel
  // refuses.
  bool refill() { return pool_.refill(); }
  bool wants_refill() { return pool_.wants_refill(); }
  bool is_well_stocked() const { return pool_.is_well_stocked(); }
  // Ends those that wait, and waits a moment (at most 2 s) until nothing of them is left.
  void dismiss_holders();
  // What is left of discarded holders goes when the kernel lets go of it; true when nothing is.
  bool tidy();
  RunDirectory& run_directory() { return run_directory_; }

 private:
  struct IdMaps {
    os::Fd stack;  // system ids only: the host's users are nobody inside
    os::Fd app;
  };

  // A slug as this app's dynos see it.
  struct Lower {
    std::uint32_t uid_base = 0;
    AppDirectory app;
    os::Fd mount;
    std::string attached_as;
  };

  struct KnownStack {
    std::string name, state;
    Stack stack;
  };

  const IdMaps& id_maps(std::uint32_t uid_base);
  const Lower& lower_of(std::uint32_t uid_base, const AppDirectory& app);
  const Stack& stack_of(const Home& home);
  Held make_holder(const std::string& address);
  void settle(Held& held, const Home& home);
  void discard(Held& held);
  // Makes the overlay of an app's directory, or, without one, of an empty /app.
  os::Fd app_mount(const Held& held, const AppDirectory& app);
  os::Fd overlay_of(const os::Fd& lower, const os::Fd& layers);
  RootPlan furnishing(const Spec& spec, const std::string& address);
  Result<Running> launch(Held held, const AppDirectory& app, const Spec& spec,
                         std::optional<int> output, std::optional<int> input);
  Result<Running> try_start(std::optional<Held> held, const Home& home, const AppDirectory& app,
                            const Spec& spec, std::optional<int> output, std::optional<int> input);
  void refill_until_answered(const Holder& starting);
  void clean_up(const std::string& id);

  SpawnerOptions options_;
  PrivateMounts mounts_;
  RunDirectory run_directory_;
  Cgroups cgroups_;
  Network network_;
  os::Fd init_;          // sealed copy of renga-init
  std::string filter_;   // syscall_policy() as bytes
  os::Fd waiting_plan_;  // of every command that waits: see init_plan.h
  std::map<std::uint32_t, IdMaps> id_maps_;
  std::vector<Lower> lowers_;       // the last first
  std::vector<KnownStack> stacks_;  // the last first
  os::Fd dev_, sys_;                // of all; none: each has its own
  HolderPool pool_;
  bool in_storm_ = false;               // starts come before what the last ones took is made again
  std::vector<std::string> discarded_;  // places
};

}  // namespace renga::sandbox

// Starter: makes one sandbox at a time, in the spawner's process. The order is that of a crash: the
// run directory comes first and goes last, the state file is written before the command may run,
// and a sandbox whose start was cut off ends by itself, because its first process waits for a word
// that never comes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "sandbox/cgroups.h"
#include "sandbox/exec.h"
#include "sandbox/network.h"
#include "sandbox/run_directory.h"
#include "sandbox/spawner.h"
#include "sandbox/spec.h"

namespace renga::sandbox {

// Belongs to the spawner's only thread.
class Starter {
 public:
  // Prepares the host: directories, control groups, the network. Throws when it cannot.
  explicit Starter(const SpawnerOptions& options);

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
  RunDirectory& run_directory() { return run_directory_; }

 private:
  struct IdMaps {
    os::Fd stack;  // system ids only: the host's users are nobody inside
    os::Fd app;
  };
  struct Prepared;

  const IdMaps& id_maps(std::uint32_t uid_base);
  Prepared prepare(const Spec& spec, std::optional<int> output, std::optional<int> input);
  Result<Running> launch(const Spec& spec, Prepared& prepared);
  Result<Running> make(const Spec& spec, std::optional<int> output, std::optional<int> input);
  void clean_up(const std::string& id);

  SpawnerOptions options_;
  RunDirectory run_directory_;
  Cgroups cgroups_;
  Network network_;
  os::Fd init_;         // sealed copy of renga-init
  std::string filter_;  // syscall_policy() as bytes
  std::map<std::uint32_t, IdMaps> id_maps_;
};

}  // namespace renga::sandbox

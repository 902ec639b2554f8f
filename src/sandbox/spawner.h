// Spawner: the client of the one privileged process, which makes sandboxes and starts processes in
// them. The process is a child of control, single-threaded, small, and holds no app's data; it dies
// with control or by itself, and no sandbox with it. Sandboxes are found again by their ids, from
// the kernel (cgroups, pids) and the run directory, never from memory.
//
// Safe from any thread; calls take turns. Every call has a limit of 30 s and then throws, as it
// does when the spawner cannot be started again. A dead spawner is started again by the next call.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"
#include "sandbox/exec.h"
#include "sandbox/firewall.h"
#include "sandbox/spec.h"

namespace renga::sandbox {

// A sandbox that runs. `init_pid` is renga-init's, in the host's pid namespace; `started` tells it
// from a later process with the same pid (field 22 of /proc/PID/stat, in clock ticks).
struct Running {
  std::string id;
  int init_pid = 0;
  std::uint64_t started = 0;
  std::string address;  // IPv4 inside, reached over the veth: "100.64.3.7"
};

// How a sandbox's command ended, as renga-init wrote it.
struct Exit {
  int status = 0;  // exit status, or 128 + signal
  int signal = 0;  // 0: ended by itself
};

struct SpawnerOptions {
  std::filesystem::path program;        // run as `PROGRAM spawner`: renga-spawner, or renga
  std::filesystem::path init_program;   // the static renga-init
  std::filesystem::path run_directory;  // DIR/run/sandboxes: one directory a sandbox
  std::string server_name;              // short and unique on this host: names cgroups and veths
  Purpose purpose = Purpose::dynos;
};

class Spawner {
 public:
  explicit Spawner(SpawnerOptions options);
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  // Why sandboxes cannot be made here (not root, no overlayfs, …), or nothing when they can.
  static std::optional<std::string> unsupported();

  // Starts it; returns once renga-init runs. When it throws, nobody knows whether the sandbox runs:
  // call remove(), or look for it in running(). `output`: see Spec::log_socket; `input`: its
  // standard input, else /dev/null. Kind::unavailable, with the reason, when the kernel refuses.
  Result<Running> start(const Spec& spec, std::optional<int> output_fd = {},
                        std::optional<int> input_fd = {});

  // Runs a command beside what the sandbox runs, with these streams; returns once it runs. The
  // descriptor is its leash: readable when it has ended, with its status (128 + signal) as one int;
  // closing it hangs the command up (SIGHUP, five seconds later SIGKILL). Kind::not_found: the
  // sandbox does not run.
  Result<os::Fd> exec(const Exec& exec, int input_fd, int output_fd);

  // Every sandbox of this server that still has a process, found from the kernel, once a spawner
  // that outlived an earlier control has done what it was told last. One whose command
  // has ended may be among them for up to 5 s more, while it sends its last lines: exit_of() tells.
  std::vector<Running> running();

  // Every sandbox of this server that has not been removed, ended or not, also after a boot of the
  // host: what control does not know of any more can be given to remove().
  std::vector<std::string> ids();

  // An address for a sandbox to come (Spec::address), of this server's slice. It is not kept free.
  std::string free_address();

  // To all processes inside but renga-init (which forwards nothing twice). No-op when it is gone.
  void signal(const std::string& id, int signal);
  // SIGKILL to everything inside, by cgroup; returns when nothing is left.
  void kill(const std::string& id);
  // Takes away cgroups, run directory and overlay of one that has ended. Kills what is left first.
  void remove(const std::string& id);

  // Takes away what this server has on the host beside its sandboxes: control groups, firewall, and
  // its claim on addresses. For a server that stops for long; the next start() makes them again.
  // No-op while a sandbox runs. How ended ones ended is kept.
  void leave_host();

  // A descriptor that becomes readable when this sandbox has ended; closed when it is already gone.
  os::Fd watch(const Running& running);
  // How it ended; nothing while it runs or when it left no word (then it was killed).
  std::optional<Exit> exit_of(const std::string& id);

  // Bytes in use and how often the limit was hit, from the cgroup.
  struct Memory {
    std::int64_t used_bytes = 0;
    std::int64_t out_of_memory_kills = 0;
  };
  std::optional<Memory> memory(const std::string& id);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The program renga-spawner: serves one control over the socket at descriptor 3 until it closes,
// under that control's lock of the run directory at descriptor 4.
int spawner_main(int argc, char** argv);

}  // namespace renga::sandbox

// RunDirectory: what of a sandbox is on disk while it exists: DIR/run/sandboxes/<id>/ with what the
// overlay is written to (upper, work), the exit file that renga-init leaves, the place that names
// its control groups, and the state that finds the sandbox again: its process and address. Until a
// sandbox has it, the directory is .held-<place>. No secret is in it. Holds no state but the
// path: spawner and control each have one and see the same.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/fd.h"
#include "sandbox/private_mounts.h"
#include "sandbox/spawner.h"

namespace renga::sandbox {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root);

  // Makes the directory of all of them.
  void prepare(PrivateMounts& mounts);

  // A control and its spawner have the directory to themselves: control locks it, and its spawner
  // inherits the lock, which is held until neither is left or the spawner has let go. Throws when
  // an earlier one still has it after `limit`.
  os::Fd lock(std::chrono::milliseconds limit) const;

  struct Layers {
    os::Fd upper, work;  // O_PATH
  };
  // For a sandbox to come: all that takes the disk's time, so that its start need not.
  void hold(const std::string& place);
  void note_process(const std::string& place, int pid, std::uint64_t started,
                    const std::string& address);
  // Its writable files are this user's.
  void hand_over(const std::string& place, uid_t owner);
  // What an overlay is written to. A work directory can serve one overlay: `used` makes a new one.
  Layers layers(const std::string& place, bool used);
  // It is this sandbox's from now on. What is claimed and not complete never was. The exit file,
  // for writing.
  os::Fd claim(const std::string& place, const std::string& id);
  void complete(const std::string& id);

  // Every sandbox that has a directory, whatever has become of it.
  std::vector<std::string> ids() const;
  bool knows(const std::string& id) const;
  // As its start left it; nothing before the start was complete, and after a boot of the host.
  std::optional<Running> state(const std::string& id) const;
  // state() if its process is still that one.
  std::optional<Running> running(const std::string& id) const;
  std::optional<Exit> exit_of(const std::string& id) const;
  // Empty when there is none.
  std::string place_of(const std::string& id) const;
  // What it writes to /app.
  std::filesystem::path upper_of(const std::string& id) const { return root_ / id / "upper"; }
  // Of sandboxes that have not come.
  std::vector<std::string> held() const;

  // Takes it out of sight at once; its files are removed by remove_hidden(), which may take long.
  void hide(const std::string& id);
  // Nobody has written into it, so that it takes no time.
  void remove_held(const std::string& place);
  void remove_hidden();
  std::vector<std::string> hidden() const;

 private:
  std::filesystem::path root_;
  os::Fd mount_;  // of the root; the spawner's alone
};

}  // namespace renga::sandbox

// RunDirectory: what of a sandbox is on disk while it exists: DIR/run/sandboxes/<id>/ with what the
// overlay is written to (upper, work), the exit file that renga-init leaves, and the state that
// finds the sandbox again: its process and address. No secret is in it. Holds no state but the
// path: spawner and control each have one and see the same.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/fd.h"
#include "sandbox/spawner.h"

namespace renga::sandbox {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root);

  // Makes the directory of all of them.
  void prepare();

  struct Made {
    os::Fd upper, work;  // O_PATH
    os::Fd exit_file;    // for writing
  };
  // A new sandbox's, whose writable files belong to `owner`.
  Made create(const std::string& id, uid_t owner);
  void write_state(const Running& running);

  // Every sandbox that has a directory, whatever has become of it.
  std::vector<std::string> ids() const;
  // As its start left it; nothing before the start was complete, and after a boot of the host.
  std::optional<Running> state(const std::string& id) const;
  // state() if its process is still that one.
  std::optional<Running> running(const std::string& id) const;
  std::optional<Exit> exit_of(const std::string& id) const;

  // Takes it out of sight at once; its files are removed by remove_hidden(), which may take long.
  void hide(const std::string& id);
  void remove_hidden();

 private:
  std::filesystem::path root_;
};

}  // namespace renga::sandbox

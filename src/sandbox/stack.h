// What a sandbox sees of its stack: /usr and the few parts of /etc that programs cannot do without,
// read-only mounts in which root's files are root's and nobody's are the sandbox's user's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/fd.h"

namespace renga::sandbox {

struct StackPart {
  std::string target;   // "usr", "etc/ssl": relative to the sandbox's root
  os::Fd mount;         // detached; or
  std::string link_to;  // a symbolic link instead
  bool directory = false;
};

// A stack as it was when this was made. What is the same in all its sandboxes is made once: /etc,
// with copies of the stack's files. Where the kernel cannot clone a mount that is attached nowhere
// (before Linux 6.15), each sandbox has its own, with a mount for every file.
class Stack {
 public:
  // `name` is "host" or the absolute path of a root file system.
  explicit Stack(const std::string& name);
  // `id_map` maps system ids (below 1000) only.
  std::vector<StackPart> parts(int id_map) const;

 private:
  void add(const std::string& path);
  void share_etc();

  struct Entry {
    std::string path, link_to;
    bool directory = false;
    bool for_all = true;  // to read
  };
  std::filesystem::path root_;
  std::vector<Entry> entries_;  // what each sandbox attaches for itself
  os::Fd etc_;                  // what all share; none: where the kernel cannot
};

// Changes when a part is added, taken away or replaced, which parts that were taken before do not
// show: a linker's cache that a package's installation wrote anew, say.
std::string stack_state(const std::string& stack);

}  // namespace renga::sandbox

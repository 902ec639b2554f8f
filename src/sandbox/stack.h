// What a sandbox sees of its stack: /usr and the few parts of /etc that programs cannot do without,
// each a read-only mount in which root's files are root's and nobody's are the sandbox's user's.
#pragma once

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

// `stack` is "host" or the absolute path of a root file system. `id_map` maps system ids (below
// 1000) only.
std::vector<StackPart> stack_parts(const std::string& stack, int id_map);

// Changes when a part is added, taken away or replaced, which parts that were taken before do not
// show: a linker's cache that a package's installation wrote anew, say.
std::string stack_state(const std::string& stack);

}  // namespace renga::sandbox

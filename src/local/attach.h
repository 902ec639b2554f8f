// attach(): the terminal of one process of a `renga local`, taken over by a person.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace renga::local {

struct Attached {
  int input = 0;  // a terminal is raw meanwhile, and as before at the end
  int output = 1;
};

enum class Parting { person_left, process_ended };

// Keys go to the process and its output comes, as they are, until Ctrl-], the end of `input`, or
// the process's end. Blocks. Kind::not_found: no such process; Kind::conflict: it has no terminal,
// or somebody else is attached.
Result<Parting> attach(const std::filesystem::path& sockets, const std::filesystem::path& directory,
                       const std::string& name, const Attached& ends);

}  // namespace renga::local

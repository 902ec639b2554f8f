// What a push asks for, as git tells a pre-receive hook. Private to this room; a pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/branches.h"

namespace renga::git {

struct PushedRefs {
  std::string commit;       // to deploy; empty when the push has no main or master
  std::vector<Move> moves;  // of main, master, or both
  std::size_t others = 0;   // branches that are stored and not built
};

// `text`: lines "<old> <new> <ref>". Kind::invalid: main or master is deleted, or both are pushed
// with different commits.
Result<PushedRefs> read_pushed_refs(std::string_view text);

}  // namespace renga::git

// What a push asks for, as git tells a pre-receive hook. Private to this room; a pure function.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::git {

struct PushedRefs {
  std::string commit;      // to deploy; empty when the push has no main or master
  std::size_t others = 0;  // branches that are stored and not built
};

// `text`: lines "<old> <new> <ref>". Kind::invalid: main or master is deleted, or both are pushed
// with different commits.
Result<PushedRefs> read_pushed_refs(std::string_view text);

}  // namespace renga::git

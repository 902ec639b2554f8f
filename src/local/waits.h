// Waits: which types start only after others are healthy, and what healthy means for each. Values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "local/procfile.h"

namespace renga::local {

struct Check {
  enum class Kind {
    port,  // something listens on its port
    page,  // GET `path` on its port answers with a status below 400
    up,    // it has run for a second
    exit,  // it has ended with status 0, which ends nothing else
  };
  Kind kind = Kind::up;
  std::string path = {};
  bool operator==(const Check&) const = default;
};

struct Waits {
  std::map<std::string, std::vector<std::string>> after;  // a type, and those it waits for
  std::map<std::string, Check> checks;                    // of every type that is waited for

  // "worker=web+db,clock=web" and "web=/healthz,db=port,migrate=exit"; either may be empty. Without
  // a check of its own web is healthy when it listens, every other type once it is up. A type that
  // is in the Procfile and is not run is not waited for. Kind::invalid: a type that is in no
  // Procfile, a circle, a check that is none.
  static Result<Waits> parse(std::string_view after, std::string_view health,
                             const Procfile& procfile, const std::vector<Instance>& instances);
};

}  // namespace renga::local

// Config vars: what an app is told through its environment. The rules of names and sizes live here;
// the values live in releases, since every change of them is one.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace renga::apps {

using ConfigVars = std::map<std::string, std::string>;
// A missing value takes the name away.
using ConfigChanges = std::map<std::string, std::optional<std::string>>;

// The vars after the changes. Kind::invalid: a name that no environment can hold, a value with a
// NUL, or more than 64 KiB of names and values altogether.
Result<ConfigVars> apply(ConfigVars vars, const ConfigChanges& changes);

}  // namespace renga::apps

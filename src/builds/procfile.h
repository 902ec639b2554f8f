// Procfile: an app's process types and their commands, one a line. Heroku skips lines that it does
// not understand; here they are refused, since a process type that is silently missing is found out
// in production. Blank lines and lines that start with '#' are skipped.
#pragma once

#include <string_view>

#include "base/result.h"
#include "releases/release.h"

namespace renga::builds {

struct Procfile {
  static constexpr std::size_t size_limit = 64 << 10;  // bytes

  releases::ProcessTypes types;

  // Ends of lines may be CRLF; of a type that is there twice, the last wins. Kind::invalid names
  // the line.
  static Result<Procfile> parse(std::string_view text);
};

// Whether this can name a process type: letters, digits, '-' and '_', at most 63.
bool is_process_type(std::string_view name);

}  // namespace renga::builds

// ExitMarker: keeps the line by which Heroku's CLI learns an exit status in one piece. `run
// --exit-code` appends `; echo "<U+FFFF> heroku-command-exit-status: $?"` to the command, and the
// CLI wants that line whole in one TLS record. Belongs to one thread; holds at most a line's start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace renga::dynos {

class ExitMarker {
 public:
  // What to send now, each piece in a record of its own; none is longer than `bytes` and a line.
  std::vector<std::string> feed(std::string_view bytes);
  // What is held back, for an end or a pause: then it is no marker.
  std::string flush();
  bool holds() const { return !held_.empty(); }

 private:
  std::string held_;
};

}  // namespace renga::dynos

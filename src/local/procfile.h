// The Procfile as foreman and `heroku local` read it, in the file's order, since ports count from
// that. (builds/procfile.h is the platform's reader: stricter, and without an order.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::local {

struct Process {
  std::string type;
  std::string command;
  bool operator==(const Process&) const = default;
};

struct Procfile {
  std::vector<Process> processes;  // at least one

  // Lines that are not "type: command" are skipped; of a type that is there twice the last command
  // wins, in the first one's place. Kind::invalid: nothing is left.
  static Result<Procfile> parse(std::string_view text);

  const Process* find(std::string_view type) const;
};

// One process to be run.
struct Instance {
  std::string name;  // "web.1"
  std::string type;
  std::string command;
  int port = 0;
  bool operator==(const Instance&) const = default;
};

// What to run, given `heroku local`'s argument ("web=2,worker"; empty: every type but release) or
// foreman's -m ("all=1,worker=2"; empty: not given). The nth of a type gets the port
// base + 100 * the type's place + n - 1: its place among those asked for, or in the Procfile when
// `formation` says it. Kind::invalid: a type that is not there, a number that is none, a port
// outside 1024 to 65535, more than 1000 processes.
Result<std::vector<Instance>> plan(const Procfile& procfile, std::string_view types,
                                   std::string_view formation, int base_port);

// -p, else PORT of .env, else of the environment, else 5006. Each may be empty.
Result<int> base_port(std::string_view flag, std::string_view env_file, std::string_view inherited);

}  // namespace renga::local

// Exec: a command beside the one that a sandbox runs: the same user, groups, limits, namespaces,
// root and system call policy, and no more power than that command has. A value; it crosses the
// socket to the spawner, since `env` holds secrets.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::sandbox {

struct Exec {
  std::string id;  // the sandbox's
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;  // the whole environment
  std::string working_directory = "/app";
  // Instead of a command: connects to this port of the sandbox's loopback and carries bytes between
  // it and input and output, until both sides are done. 0: run argv.
  int forward_port = 0;
};

std::string pack(const Exec& exec);
// Kind::invalid for what cannot be an Exec.
Result<Exec> unpack_exec(std::string_view message);

}  // namespace renga::sandbox

// How the spawner of a data directory is started: the same for a server and for server:stop
// --dynos.
#pragma once

#include <unistd.h>

#include "sandbox/spawner.h"
#include "server/data_directory.h"

namespace renga::server {

inline sandbox::SpawnerOptions spawner_options(const DataDirectory& directory) {
  // Not from a disk that is mounted with noexec: this program can do the same, only more slowly.
  auto program = directory / "bin/renga-spawner";
  if (access(program.c_str(), X_OK) != 0) program = "/proc/self/exe";
  return {.program = std::move(program),
          .init_program = directory / "bin/renga-init",
          .run_directory = directory / "run/sandboxes",
          .server_name = directory.server_name()};
}

}  // namespace renga::server

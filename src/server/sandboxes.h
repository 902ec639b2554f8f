// How the spawner of a data directory is started: the same for a server and for server:stop
// --dynos.
#pragma once

#include "sandbox/spawner.h"
#include "server/data_directory.h"

namespace renga::server {

inline sandbox::SpawnerOptions spawner_options(const DataDirectory& directory) {
  return {.program = "/proc/self/exe",
          .init_program = directory / "bin/renga-init",
          .run_directory = directory / "run/sandboxes",
          .server_name = directory.server_name()};
}

}  // namespace renga::server

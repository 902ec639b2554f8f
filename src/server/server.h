// `renga server`: control. Builds every object, hands each its collaborators, and waits for
// SIGTERM.
#pragma once

#include <filesystem>

namespace renga::server {

// The program; returns its exit status.
int server_main(int argc, char** argv);

// `renga server:stop [--data DIR] [--dynos]`: ends the server of a data directory from outside, and
// with
// --dynos everything that runs for it, whether or not a server is up.
int stop_main(int argc, char** argv);

// `renga server:restart [--data DIR]`: puts the program that is now at its path in the server's
// place, without a lost request.
int restart_main(int argc, char** argv);

// `renga backup FILE [--data DIR]` and `renga restore FILE [--data DIR]`.
int backup_main(int argc, char** argv);
int restore_main(int argc, char** argv);

// `renga stacks:install NAME [--data DIR] [--mirror URL] [--security-mirror URL]`.
int stacks_install_main(int argc, char** argv);

}  // namespace renga::server

// One program. What it is depends on its first word: a part of the platform, or else the CLI.
#include <signal.h>

#include <cstring>

#include "builds/confined_git.h"
#include "cli/cli.h"
#include "git/repositories.h"
#include "kafka/kafka.h"
#include "postgresql/postgresql.h"
#include "redis/redis.h"
#include "router/router_link.h"
#include "sandbox/spawner.h"
#include "server/embedded.h"
#include "server/server.h"

int main(int argc, char** argv) {
  // A peer that leaves is an error of one write, not the end of the program.
  signal(SIGPIPE, SIG_IGN);
  // The server blocks signals before it starts others of us; they must not inherit that.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  const char* part = argc > 1 ? argv[1] : "";
  // Manual pages are the CLI's, those of the platform's parts too.
  if (argc > 2 && std::strcmp(argv[2], "--help") == 0) return renga::cli::main(argc, argv);
  if (std::strcmp(part, "server") == 0) return renga::server::server_main(argc, argv);
  if (std::strcmp(part, "server:stop") == 0) return renga::server::stop_main(argc, argv);
  if (std::strcmp(part, "server:restart") == 0) return renga::server::restart_main(argc, argv);
  if (std::strcmp(part, "backup") == 0) return renga::server::backup_main(argc, argv);
  if (std::strcmp(part, "restore") == 0) return renga::server::restore_main(argc, argv);
  if (std::strcmp(part, "stacks:install") == 0)
    return renga::server::stacks_install_main(argc, argv);
  if (std::strcmp(part, "router") == 0) return renga::router::router_main(argc, argv);
  if (std::strcmp(part, "spawner") == 0) return renga::sandbox::spawner_main(argc, argv);
  if (std::strcmp(part, "provider") == 0 && argc > 2)
    for (const auto* provider :
         {&renga::postgresql::program(), &renga::redis::program(), &renga::kafka::program()})
      if (provider->name == argv[2])
        return renga::provider::provider_main(argc, argv, renga::server::embedded_init(),
                                              *provider);
  if (std::strcmp(part, "hook") == 0) return renga::git::hook_main(argc, argv);
  if (std::strcmp(part, "git-serve") == 0) return renga::git::confined_main(argc, argv);
  if (renga::builds::is_confined_git(part)) return renga::builds::confined_git_main(argc, argv);
  return renga::cli::main(argc, argv);
}

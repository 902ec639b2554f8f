// RouterProcess: the program `renga router` around a Proxy: its table file, its socket for control,
// its signals. Everything belongs to the thread that calls run(), but what the proxy's threads
// tell.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "os/fd.h"
#include "router/limits.h"
#include "router/listeners.h"

namespace renga::router {

struct RouterProcessOptions {
  std::filesystem::path directory;   // DIR/router
  std::string http;                  // HOST:PORT as it was asked for
  std::string https;                 // the same for https; empty: it is not served
  Sockets sockets;                   // where there are none they are opened there
  std::filesystem::path secret_key;  // seals the certificates' file; empty: none is kept
  os::Fd lock;                       // none: it is taken
  unsigned user = 0;  // whom it becomes once everything is open; 0: it stays who it is
  std::size_t threads = 1;
  Limits limits;
  std::chrono::milliseconds drain{30'000};
};

// Holds while a router serves from this directory: an exclusive flock(2) on router.lock, which has
// the router's process id in it. None: another has it.
os::Fd take_router_lock(const std::filesystem::path& directory);

class RouterProcess {
 public:
  // Serves at once, by the table of the file if there is one. Throws when it cannot.
  explicit RouterProcess(RouterProcessOptions options);
  ~RouterProcess();
  RouterProcess(const RouterProcess&) = delete;
  RouterProcess& operator=(const RouterProcess&) = delete;

  void run();   // until it has been stopped and is done
  void stop();  // from any thread, and from a signal's watcher

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::router

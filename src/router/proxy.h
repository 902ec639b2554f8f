// Proxy: the router without a process around it: its loops on their threads, the table that they
// share, and the watch over dynos that leave. The program `renga router` has one; so have tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "os/fd.h"
#include "router/limits.h"
#include "router/proxy_loop.h"
#include "router/table.h"

namespace renga::router {

// Called on any of the loops' threads, and inside set_table(); must not wait and must not call
// back.
struct ProxyEvents {
  std::function<void(std::string records, std::size_t requests)> on_log = [](std::string,
                                                                             std::size_t) {};
  // Every loop works by the table of this generation, or a newer one.
  std::function<void(std::uint64_t generation)> on_taken_over = [](std::uint64_t) {};
  // The table no longer names this dyno, and no request of it is under way.
  std::function<void(const std::string& dyno)> on_retired = [](const std::string&) {};
  // There is a request for this app, whose route is idle.
  std::function<void(const std::string& app)> on_wake = [](const std::string&) {};
};

class Proxy {
 public:
  // Starts so many threads. They serve from the first accept() on: until then clients wait in the
  // kernel's queue.
  Proxy(const Limits& limits, std::size_t threads, ProxyEvents events);
  ~Proxy();  // cuts whatever is under way; see drain()
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // From one thread at a time, and that is to be none of those that serve: a large table takes a
  // while.
  void set_table(RouteTable table);
  // False: it is a change of another table than the newest.
  bool change_table(TableChange change);
  // Lets go of tables that no loop works by any more. Takes a while as well; the same thread's as
  // set_table().
  void drop_old_tables();
  // The newest. From any thread.
  std::shared_ptr<const RouteIndex> table() const;
  // Accepts clients at these sockets (duplicated: the caller keeps its own), by the last table set.
  // No-op from the second time on.
  void accept(const Sockets& sockets);
  // For TLS handshakes from now on. What cannot be used is left out and reported.
  void set_certificates(const std::vector<net::NamedCertificate>& certificates);
  // Accepts nothing more and finishes what is under way, at most so long; `done` is called once.
  void drain(Idle idle, std::chrono::milliseconds limit, std::function<void()> done);
  // What the loops have counted; `then` is called once, on one of their threads.
  void figures(std::function<void(RouterFigures)> then);
  // How long the loops' turns took, from events to the next wait: so long one client may have to
  // wait for the others. The same.
  void turns(std::function<void(Durations)> then);
  // For tests: once all that has come so far is dealt with, so much time has passed.
  void skip(std::chrono::milliseconds time);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::router

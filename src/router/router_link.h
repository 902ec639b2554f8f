// RouterLink: control's side of the router process. Opens the listening sockets, starts `renga
// router` with them, or takes up the one that runs since before control did; starts another when it
// dies; keeps it told of the table; hears its request log and which dynos it has let go of. The
// router goes on with its last table whatever happens here. One thread of its own; calls are safe
// from any thread and do not wait, where they do not say so.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "net/tls_server.h"
#include "router/figures.h"
#include "router/table.h"

namespace renga::router {

struct RouterLinkOptions {
  std::filesystem::path program;    // renga itself: run as `renga router`
  std::filesystem::path directory;  // DIR/router: its socket, its last table, its own log
  std::string http;                 // HOST:PORT where apps answer; port 0 lets the kernel choose
  std::string https = {};           // the same for https; empty: not served
  std::filesystem::path secret_key = {};  // seals what the router keeps of certificates
  unsigned user = 0;                      // whom the router becomes; 0: it stays who control is
  std::size_t threads = 0;                // of the router; 0: one per core
  std::chrono::milliseconds start_limit{30'000};  // for start()
};

// One request, when it has ended.
struct RequestLogLine {
  std::string app;      // UUID
  std::int64_t at = 0;  // microseconds since 1970
  std::string message;  // at=info method=GET …
};

struct RouterEvents {
  std::function<void(const RequestLogLine&)> on_request = [](const RequestLogLine&) {};
  // The table no longer names this dyno, and the router has no request of it under way.
  // May be told more than once, and of dynos that were retired before control was started.
  std::function<void(const std::string& dyno)> on_retired = [](const std::string&) {};
  // There is a request for this app, whose route is idle. May be told more than once.
  std::function<void(const std::string& app)> on_wake = [](const std::string&) {};
  // So many requests were served without being logged, since this side took their lines too slowly.
  std::function<void(std::uint64_t requests)> on_dropped = [](std::uint64_t) {};
};

class RouterLink {
 public:
  RouterLink(RouterLinkOptions options, RouterEvents events);
  ~RouterLink();  // leaves the router running; see stop()
  RouterLink(const RouterLink&) = delete;
  RouterLink& operator=(const RouterLink&) = delete;

  struct Addresses {
    std::string http;   // HOST:PORT
    std::string https;  // empty: not served
  };
  // Returns once a router answers, with the addresses it serves at. Throws when there is none
  // within the limit, or somebody else listens there.
  Addresses start();
  // The newest wins; the generation is set here. Sent again to every router that is started.
  void send(RouteTable table);
  // Of the table that was sent before, these apps are as here now, and those, by their UUIDs, are
  // no more. Costs what they are, not what the table is.
  void send(std::vector<AppRoute> apps, std::vector<std::string> gone);
  // The newest wins; the first is also for clients that name no host, or one that nobody has.
  void send(std::vector<net::NamedCertificate> certificates);
  // What the router has counted since it started. Waits for its answer, at most so long.
  // Kind::unavailable: there is none.
  Result<RouterFigures> figures(std::chrono::milliseconds limit = std::chrono::seconds(5));
  // Ends the router: it finishes what is under way, at most 30 s. Returns when its process is gone.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The program `renga router`.
int router_main(int argc, char** argv);

}  // namespace renga::router

// RouterLink: control's side of the router process. Opens the listening sockets, starts `renga
// router` with them, or takes up the one that runs since before control did; starts another when it
// dies; keeps it told of the table; hears its request log and which dynos it has let go of. The
// router goes on with its last table whatever happens here. One thread of its own; calls are safe
// from any thread and do not wait.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "router/table.h"

namespace renga::router {

struct RouterLinkOptions {
  std::filesystem::path program;    // renga itself: run as `renga router`
  std::filesystem::path directory;  // DIR/router: its socket, its last table, its own log
  std::string http;                 // HOST:PORT where apps answer; port 0 lets the kernel choose
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
  std::function<void(const std::string& dyno)> on_retired = [](const std::string&) {};
};

class RouterLink {
 public:
  RouterLink(RouterLinkOptions options, RouterEvents events);
  ~RouterLink();  // leaves the router running; see stop()
  RouterLink(const RouterLink&) = delete;
  RouterLink& operator=(const RouterLink&) = delete;

  // Returns once a router answers, with the address it serves at (HOST:PORT).
  std::string start();
  void send(RouteTable table);  // the newest wins; the generation is set here
  // Ends the router: it finishes what is under way, at most 30 s.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The program `renga router`.
int router_main(int argc, char** argv);

}  // namespace renga::router

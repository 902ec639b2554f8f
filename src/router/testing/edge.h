// For tests: a router in this process, clients and dynos as plain blocking sockets that the test
// itself plays. Every read gives up after half a minute, by throwing. Time that the router waits is
// skipped, not waited for: see pass().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/socket.h"
#include "os/fd.h"
#include "router/limits.h"
#include "router/listeners.h"
#include "router/proxy.h"
#include "router/table.h"

namespace renga::router::testing {

// One end of a connection.
class Wire {
 public:
  explicit Wire(os::Fd socket);
  void write(std::string_view bytes);
  std::string read_until(std::string_view mark);  // the mark included
  std::string read(std::size_t count);
  std::string read_all();  // until the other end closes or resets
  bool closed_by_peer();   // nothing more came; waits for it
  bool silent(std::chrono::milliseconds time = std::chrono::milliseconds(60));  // nothing comes
  void finish() { ::shutdown(socket_.get(), SHUT_WR); }
  void close() { socket_.close(); }
  void reset();  // closes with a RST
  int fd() const { return socket_.get(); }

 private:
  bool fill();  // false at the end
  os::Fd socket_;
  std::string in_;
};

struct Answer {
  std::string head;
  std::string body;
  int status() const { return std::stoi(head.substr(9, 3)); }
  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};
// Reads one response with Content-Length or chunks, or without a body.
Answer read_answer(Wire& client, bool has_body = true);

// Listens as a dyno does.
class Upstream {
 public:
  Upstream();
  std::uint16_t port() const;
  Wire accept();
  bool nobody_comes(std::chrono::milliseconds time = std::chrono::milliseconds(60));
  void stop_listening() { listener_.close(); }
  Backend backend(std::string dyno, std::string name = "web.1") const;

 private:
  os::Fd listener_;
};

// A port where nobody listens.
std::uint16_t dead_port();

class Edge {
 public:
  explicit Edge(Limits limits = {}, std::size_t threads = 1);
  ~Edge();

  // Serves `routes`; an app's host is its name and ".test". Returns once every loop works by it.
  void serve(std::vector<Route> routes, std::vector<std::string> retiring = {},
             std::map<std::string, std::string> challenges = {});
  void serve(std::vector<Backend> backends);  // of one app, "shop"
  Wire client();
  std::string url_port() const;
  std::string https_port() const;
  Proxy& proxy() { return *proxy_; }

  // The next log line; waits for it.
  std::string next_log();
  // Of the line that next_log() gave last: microseconds since 1970.
  std::int64_t log_time() const { return log_time_; }
  bool no_log();
  // Waits until the dyno is retired.
  bool retired(const std::string& dyno,
               std::chrono::milliseconds limit = std::chrono::milliseconds(30'000));
  // How often this app was to be woken; waits until it is so often, or a moment for none.
  int wakes(const std::string& app, int expected);
  void begin_drain(Idle idle, std::chrono::milliseconds limit);
  bool drained();  // waits for it
  // Deals with all that clients and dynos have sent so far; then so much time has passed.
  void pass(std::chrono::milliseconds time) { proxy_->skip(time); }
  void settle() { pass({}); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::int64_t, std::string>> logs_;
  std::int64_t log_time_ = 0;
  std::vector<std::string> retired_;
  std::map<std::string, int> wakes_;
  std::uint64_t taken_over_ = 0;
  bool drained_ = false;
  std::uint64_t generation_ = 0;
  Sockets sockets_;
  std::unique_ptr<Proxy> proxy_;
};

Route app(std::string name, std::vector<Backend> backends);

}  // namespace renga::router::testing

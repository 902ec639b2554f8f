// ProxyLoop: one thread's share of the router: its listeners, its clients, its connections to
// dynos, its request log. Loops share nothing but the table and the counters in it. Everything
// belongs to the thread that runs run(), but what is marked otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/parser.h"
#include "net/event_loop.h"
#include "os/fd.h"
#include "router/client_connection.h"
#include "router/dyno_connection.h"
#include "router/h2_connection.h"
#include "router/limits.h"
#include "router/listeners.h"
#include "router/log_line.h"
#include "router/meters.h"
#include "router/outbox.h"
#include "router/route_index.h"
#include "router/time_outs.h"

namespace renga::router {

// What a loop tells; called on its thread.
struct LoopEvents {
  // Log records (log_records.h) of so many requests.
  std::function<void(std::string records, std::size_t requests)> on_log;
  // A dyno that is leaving has no request under way any more.
  std::function<void(const DynoState& dyno)> on_free;
  // There is a request for an app that is idle.
  std::function<void(const std::string& app)> on_wake;
};

enum class Idle { close_at_once, may_ask_once_more };  // client connections without a request

class ProxyLoop {
 public:
  ProxyLoop(const Limits& limits, LoopEvents events);
  ~ProxyLoop();
  ProxyLoop(const ProxyLoop&) = delete;
  ProxyLoop& operator=(const ProxyLoop&) = delete;

  void run();  // until stop()

  // From any thread, done in the order of the calls. The callbacks run on the loop's thread.
  void post_listen(Listener listener);
  // Requests are served by it at once; the rest of the work, which is the difference's and not the
  // table's, is done a little at a time, so that nobody waits for it.
  void post_table(std::shared_ptr<const RouteIndex> table,
                  std::shared_ptr<const TableDifference> difference,
                  std::function<void()> taken_over);
  // Accepts nothing more and lets requests under way finish, at most so long; `done` follows once
  // the last client is gone. Then the loop does nothing more than wait for stop().
  void post_drain(Idle idle, std::chrono::milliseconds limit, std::function<void()> done);
  void stop() { loop_.stop(); }
  // `then` runs on the loop's thread.
  void post_figures(std::function<void(RouterFigures)> then);
  void post_turns(std::function<void(const Durations&)> then);
  // For tests: once whatever has come so far is dealt with, so much time has passed.
  void post_skip(std::chrono::milliseconds time, std::function<void()> done);

  // The rest is for the connections.
  struct Waits {
    Waits(net::EventLoop& loop, const Limits& limits);
    TimeOuts head, keep_alive, connect, queue, first_byte, idle, linger;
  };

  net::EventLoop& events() { return loop_; }
  const Limits& limits() const { return limits_; }
  Waits& waits() { return waits_; }
  DynoPools& pools() { return pools_; }
  Outbox& outbox() { return outbox_; }
  Meters& meters() { return meters_; }
  const RouteIndex& table() const { return *table_; }
  bool draining() const { return draining_; }

  // Takes a large answer's head and body, as loopback hands them over, in one read.
  std::array<char, 128 * 1024>& scratch() { return scratch_; }
  std::string& head_scratch() { return head_scratch_; }
  std::string& names_scratch() { return names_scratch_; }
  // Bytes of all heads that are not whole yet.
  std::size_t& unfinished_heads() { return unfinished_heads_; }
  http::RequestParser& request_parser() { return request_parser_; }
  http::ResponseParser& response_parser() { return response_parser_; }

  std::string_view new_request_id();                // a random UUID, good until the next
  std::int64_t micros();                            // since 1970, as of this turn
  std::string_view date();                          // for a Date header
  std::uint64_t random_below(std::uint64_t bound);  // not for secrets
  void log(std::string_view app, std::int64_t at, std::string_view request,
           const LogOutcome& outcome);
  void dyno_released(DynoState& dyno);  // one request of it has ended
  void wake(const App& app);            // that is idle

  // Clients have one while a request is under way: those that wait need no room for it, and those
  // that are used are still in the processor's cache.
  std::unique_ptr<Exchange> new_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);
  void bury(std::unique_ptr<DynoConnection> connection);
  // HTTP/2: a connection's own, and its streams, which are clients like any other.
  bool has_room() const { return clients_.size() < limits_.connections; }
  ClientConnection& add_stream(std::unique_ptr<Transport> transport, const std::string& ip,
                               const Entrance& entrance);
  void become_http2(std::unique_ptr<Transport> transport, const std::string& ip,
                    const Entrance& entrance, std::string_view first_bytes);
  void flush_later(Http2Connection& connection);  // with the outbox
  void gone(Http2Connection& connection);

  void gone(ClientConnection& client);   // closed: owned until the turn ends
  void again(ClientConnection& client);  // calls its resume() in the next turn
  void forget_again(const ClientConnection& client);
  // Those that wait for a dyno: a new table may have one for them.
  void hold(ClientConnection& client);
  void hold_no_longer(ClientConnection& client);

 private:
  class Acceptor;

  ClientConnection& add(std::unique_ptr<ClientConnection> client);
  bool make_room();
  void flush_log();
  void flush_streams();
  void send_what_waits();
  void end_turn();
  void take_over_some();
  void add_client(os::Fd socket, const net::Address& peer, const Listener& listener);
  void drain(Idle idle, std::chrono::milliseconds limit, std::function<void()> done);

  const Limits limits_;
  LoopEvents events_;
  net::EventLoop loop_;
  Waits waits_;
  std::shared_ptr<const RouteIndex> table_;
  // Tables whose difference is not all dealt with, in their order.
  struct TakingOver {
    std::shared_ptr<const TableDifference> difference;
    std::function<void()> done;
    std::size_t apps = 0, dynos = 0;  // so many that were and that left are
  };
  std::deque<TakingOver> taking_over_;

  std::array<char, 128 * 1024> scratch_;
  std::string head_scratch_, names_scratch_;
  http::RequestParser request_parser_;
  http::ResponseParser response_parser_;
  std::array<unsigned char, 4096> entropy_;
  std::size_t entropy_used_ = entropy_.size();
  std::array<char, 36> request_id_;
  std::uint64_t random_state_;
  std::int64_t micros_ = 0;  // none: not asked in this turn
  std::int64_t date_second_ = 0;
  std::string date_;

  std::string records_;
  std::size_t record_count_ = 0;
  std::size_t room_for_records_ = 0;
  net::TimerId log_timer_ = 0;

  Meters meters_;
  Durations turns_;  // from events to the next wait: so long one client may wait for the others
  std::vector<std::unique_ptr<Exchange>> spare_exchanges_;
  std::vector<std::unique_ptr<DynoConnection>> dead_connections_;
  DynoPools pools_;
  Outbox outbox_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<Http2Connection>> http2_;
  std::vector<std::unique_ptr<Http2Connection>> dead_http2_;
  std::vector<Http2Connection*> unflushed_;
  std::vector<std::unique_ptr<ClientConnection>> clients_;
  std::vector<std::unique_ptr<ClientConnection>> dead_clients_;
  std::vector<ClientConnection*> again_, resuming_;
  std::vector<ClientConnection*> held_;
  std::size_t unfinished_heads_ = 0;
  bool again_posted_ = false;
  bool draining_ = false;
  std::function<void()> drained_;
};

}  // namespace renga::router

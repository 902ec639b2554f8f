// DynoConnection: one TCP connection to a dyno, used by one request at a time and kept in the
// loop's pool between requests. DynoPools: those that are idle, last used first, so that the rest
// can age out. Both belong to their loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "net/event_loop.h"
#include "router/route_index.h"
#include "router/time_outs.h"
#include "router/transport.h"

namespace renga::router {

class ClientConnection;
class DynoPools;

class DynoConnection final : public net::Watcher {
 public:
  // Starts connecting; throws std::system_error when there is no socket to be had. refused() tells
  // at once, everything else by events.
  DynoConnection(net::EventLoop& loop, DynoPools& pools, const Dyno& dyno);
  ~DynoConnection() override;

  void on_events(std::uint32_t events) override;

  SocketTransport& transport() { return transport_; }
  bool failed_at_once() const { return failed_; }
  int socket_error() const;  // takes it: SO_ERROR
  // Whether bytes that were sent are still not acknowledged: the dyno cannot have acted on them
  // all.
  bool unacknowledged() const;
  const std::shared_ptr<DynoState>& state() const { return state_; }

  ClientConnection* user = nullptr;  // whose request it carries
  bool reused = false;               // it has served a request before

 private:
  friend class DynoPools;
  net::EventLoop& loop_;
  DynoPools& pools_;
  std::shared_ptr<DynoState> state_;
  SocketTransport transport_;
  bool failed_ = false;
  Waiting idle_;
};

class DynoPools {
 public:
  // `bury` takes what must live until the loop's turn is over.
  DynoPools(net::EventLoop& loop, std::chrono::milliseconds idle, std::size_t most,
            std::function<void(std::unique_ptr<DynoConnection>)> bury)
      : idle_(loop, idle), most_(most), bury_(std::move(bury)) {}

  std::unique_ptr<DynoConnection> take(const DynoState& dyno);  // or nothing
  void put(std::unique_ptr<DynoConnection> connection);
  void close(const DynoConnection& idle);
  void close_all(const DynoState& dyno);
  std::size_t size() const;

 private:
  TimeOuts idle_;  // before the connections, which are in it
  std::size_t most_;
  std::function<void(std::unique_ptr<DynoConnection>)> bury_;
  struct Pool {
    std::shared_ptr<DynoState> dyno;
    std::vector<std::unique_ptr<DynoConnection>> idle;
  };
  std::unordered_map<const DynoState*, Pool> pools_;
};

}  // namespace renga::router

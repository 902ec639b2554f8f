#include "http/server.h"

#include <condition_variable>
#include <future>
#include <stdexcept>
#include <thread>

#include "base/fault.h"
#include "base/report.h"
#include "http/connection.h"
#include "net/socket.h"

namespace renga::http {

namespace {
constexpr std::chrono::milliseconds accept_pause{100};  // when descriptors or memory ran out
}

struct Server::State final : net::Watcher {
  const ServerOptions options;
  net::EventLoop loop;
  os::Fd listener;
  const std::string address;
  Locked<std::size_t> open_connections;
  std::condition_variable fewer;
  std::thread thread;
  // Destroyed before what its handlers and the connections stand on.
  WorkerPool pool;
  Shared shared;

  explicit State(ServerOptions given)
      : options(std::move(given)),
        listener(net::listen_tcp(options.listen)),
        address(net::local_address(listener.get()).text()),
        pool(options.limits.threads),
        shared{options, loop, std::make_shared<LoopDoor>(loop), pool} {
    if (!options.router) throw std::invalid_argument("A server needs a router.");
    shared.changed = [this] { count(); };
  }

  void count() {
    *open_connections.lock() = shared.connections.size();
    fewer.notify_all();
  }

  void on_events(std::uint32_t) override { accept_all(); }

  void accept_all() {
    while (listener) {
      auto accepted = net::accept(listener.get());
      if (!accepted.fd) {
        if (accepted.error == 0) return;
        report("http", "cannot accept connections for now: " +
                           std::generic_category().message(accepted.error));
        loop.after(accept_pause, [this] { accept_all(); });
        return;
      }
      if (shared.connections.size() >= options.limits.connections) continue;
      net::set_no_delay(accepted.fd.get());
      net::set_keep_alive(accepted.fd.get());
      const auto connection =
          std::make_shared<Connection>(shared, std::move(accepted.fd), accepted.peer.text());
      shared.connections.emplace(connection.get(), connection);
      count();
      connection->start();
    }
  }

  void stop_accepting() {
    if (!listener) return;
    loop.remove(listener.get(), *this);
    listener.close();
  }

  void for_all_connections(void (Connection::*what)()) {
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [raw, connection] : shared.connections) all.push_back(connection);
    for (const auto& connection : all) ((*connection).*what)();
  }

  void shut_down() {
    stop_accepting();
    // Whatever was posted before this runs before the stop; afterwards nothing is.
    shared.door->shut();
    for_all_connections(&Connection::close);
    loop.post([this] { loop.stop(); });
  }
};

Server::Server(ServerOptions options) : state_(std::make_unique<State>(std::move(options))) {}

Server::~Server() {
  if (state_->thread.joinable()) {
    state_->loop.post([state = state_.get()] { state->shut_down(); });
    state_->thread.join();
  }
}

void Server::start() {
  auto* state = state_.get();
  if (state->thread.joinable()) throw std::logic_error("The server was started before.");
  state->loop.add(state->listener.get(), *state);
  state->thread = std::thread([state] {
    while (true) {
      try {
        state->loop.run();
        return;
      } catch (const std::exception& error) {
        // Of a callback outside every connection; the loop goes on behind it.
        report("http", std::string("the server's loop caught: ") + error.what());
      }
    }
  });
}

void Server::drain(std::chrono::milliseconds limit) {
  auto* state = state_.get();
  if (!state->thread.joinable()) return;
  std::promise<void> told;
  state->loop.post([&, state] {
    state->stop_accepting();
    state->shared.draining = true;
    state->for_all_connections(&Connection::drain);
    told.set_value();
  });
  told.get_future().wait();
  auto open = state->open_connections.lock();
  open.wait_for(state->fewer, limit, [&] { return *open == 0; });
}

std::string Server::address() const { return state_->address; }

}  // namespace renga::http

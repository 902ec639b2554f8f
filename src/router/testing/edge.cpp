#include "router/testing/edge.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

#include "base/fault.h"
#include "router/listeners.h"
#include "router/log_records.h"

namespace renga::router::testing {

namespace {

using std::chrono::milliseconds;
constexpr milliseconds patience{30'000};

bool readable(int fd, milliseconds limit) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(limit.count())) > 0;
}

}  // namespace

Wire::Wire(os::Fd socket) : socket_(std::move(socket)) {
  net::set_blocking(socket_.get(), true);
  net::set_no_delay(socket_.get());
  const timeval limit{30, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void Wire::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fault("write in a test");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Wire::fill() {
  if (!readable(socket_.get(), patience)) {
    throw std::runtime_error("nothing came in half a minute; so far: " + in_);
  }
  char buffer[64 * 1024];
  const auto got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  in_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

std::string Wire::read_until(std::string_view mark) {
  std::size_t found;
  while ((found = in_.find(mark)) == std::string::npos) {
    if (!fill()) throw std::runtime_error("closed before the mark; so far: " + in_);
  }
  auto text = in_.substr(0, found + mark.size());
  in_.erase(0, text.size());
  return text;
}

std::string Wire::read(std::size_t count) {
  while (in_.size() < count) {
    if (!fill())
      throw std::runtime_error("closed before " + std::to_string(count) + " bytes: " + in_);
  }
  auto text = in_.substr(0, count);
  in_.erase(0, count);
  return text;
}

std::string Wire::read_all() {
  while (fill()) {
  }
  return std::exchange(in_, {});
}

bool Wire::closed_by_peer() { return read_all().empty(); }

bool Wire::silent(milliseconds time) { return in_.empty() && !readable(socket_.get(), time); }

void Wire::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket_.close();
}

Answer read_answer(Wire& client, bool has_body) {
  Answer answer;
  answer.head = client.read_until("\r\n\r\n");
  if (!has_body) return answer;
  if (const auto at = answer.head.find("Content-Length: "); at != std::string::npos) {
    answer.body = client.read(std::stoul(answer.head.substr(at + 16)));
  } else if (answer.has("Transfer-Encoding: chunked")) {
    while (true) {
      const auto size = std::stoul(client.read_until("\r\n"), nullptr, 16);
      answer.body += client.read(size);
      client.read(2);
      if (size == 0) break;
    }
  }
  return answer;
}

Upstream::Upstream() : listener_(net::listen_tcp("127.0.0.1:0")) {}

std::uint16_t Upstream::port() const { return net::local_address(listener_.get()).port(); }

Wire Upstream::accept() {
  if (!readable(listener_.get(), patience)) throw std::runtime_error("nobody came to the dyno");
  return Wire(net::accept(listener_.get()).fd);
}

bool Upstream::nobody_comes(milliseconds time) { return !readable(listener_.get(), time); }

Backend Upstream::backend(std::string dyno, std::string name) const {
  return {std::move(dyno), std::move(name), "127.0.0.1", port()};
}

std::uint16_t dead_port() { return Upstream().port(); }

Route app(std::string name, std::vector<Backend> backends) {
  Route route;
  route.app = "app-" + name;
  route.name = std::move(name);
  route.web_quantity = std::max(1, static_cast<int>(backends.size()));
  route.backends = std::move(backends);
  return route;
}

Edge::Edge(Limits limits, std::size_t threads)
    : sockets_{open_listeners("127.0.0.1:0", threads), open_listeners("127.0.0.1:0", threads)} {
  limits.log_delay = milliseconds(1);
  proxy_ = std::make_unique<Proxy>(
      limits, threads,
      ProxyEvents{.on_log =
                      [this](std::string records, std::size_t) {
                        const std::lock_guard lock(mutex_);
                        for_each_log_record(records, [&](auto, auto at, std::string_view message) {
                          logs_.emplace_back(at, message);
                        });
                        changed_.notify_all();
                      },
                  .on_taken_over =
                      [this](std::uint64_t generation) {
                        const std::lock_guard lock(mutex_);
                        taken_over_ = std::max(taken_over_, generation);
                        changed_.notify_all();
                      },
                  .on_retired =
                      [this](const std::string& dyno) {
                        const std::lock_guard lock(mutex_);
                        retired_.push_back(dyno);
                        changed_.notify_all();
                      },
                  .on_wake =
                      [this](const std::string& app) {
                        const std::lock_guard lock(mutex_);
                        ++wakes_[app];
                        changed_.notify_all();
                      }});
}

Edge::~Edge() = default;

void Edge::serve(std::vector<Route> routes, std::vector<std::string> retiring,
                 std::map<std::string, std::string> challenges) {
  RouteTable table;
  table.challenges = std::move(challenges);
  table.generation = ++generation_;
  for (auto& route : routes) {
    table.hosts[route.name + ".test"] = table.routes.size();
    table.routes.push_back(std::move(route));
  }
  table.retiring = std::move(retiring);
  proxy_->set_table(std::move(table));
  proxy_->accept(sockets_);
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return taken_over_ >= generation_; })) {
    throw std::runtime_error("the table was not taken over");
  }
}

void Edge::serve(std::vector<Backend> backends) { serve({app("shop", std::move(backends))}); }

std::string Edge::url_port() const {
  return std::to_string(net::local_address(sockets_.http[0].get()).port());
}

std::string Edge::https_port() const {
  return std::to_string(net::local_address(sockets_.https[0].get()).port());
}

Wire Edge::client() {
  auto socket = net::connect_tcp("127.0.0.1:" + url_port(), patience);
  if (!socket) throw std::runtime_error(socket.error().message);
  return Wire(*std::move(socket));
}

std::string Edge::next_log() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return !logs_.empty(); })) {
    throw std::runtime_error("no log line came");
  }
  auto [at, line] = std::move(logs_.front());
  logs_.erase(logs_.begin());
  log_time_ = at;
  return line;
}

bool Edge::no_log() {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, milliseconds(60), [&] { return !logs_.empty(); });
}

bool Edge::retired(const std::string& dyno, milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] {
    return std::find(retired_.begin(), retired_.end(), dyno) != retired_.end();
  });
}

int Edge::wakes(const std::string& app, int expected) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, milliseconds(expected > 0 ? 10'000 : 60),
                    [&] { return expected > 0 && wakes_[app] >= expected; });
  return wakes_[app];
}

void Edge::begin_drain(Idle idle, milliseconds limit) {
  proxy_->drain(idle, limit, [this] {
    const std::lock_guard lock(mutex_);
    drained_ = true;
    changed_.notify_all();
  });
  settle();
}

bool Edge::drained() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return drained_; });
}

}  // namespace renga::router::testing

#include "router/proxy_loop.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "base/random.h"
#include "base/report.h"
#include "router/log_records.h"
#include "router/tls_transport.h"

namespace renga::router {

namespace {
constexpr int accepts_in_a_row = 128;
constexpr std::size_t most_spare_exchanges = 1024;
// Less is no idleness: with so many clients at work the next ones wait in the kernel's queue.
constexpr std::chrono::milliseconds idle_enough{1'000};
constexpr std::size_t records_at_once = 64 * 1024;
constexpr std::chrono::milliseconds accept_again{100};
constexpr int forgotten_in_a_row = 200;  // apps and dynos of a table before, in one turn

constexpr auto hexadecimal = [] {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs;
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {digits[i >> 4], digits[i & 15]};
  return pairs;
}();
}  // namespace

// Accepts clients. With as many as allowed the one that has been idle longest goes; where none is,
// or without descriptors, the rest is left in the kernel's queue, to look again a little later.
class ProxyLoop::Acceptor final : public net::Watcher {
 public:
  Acceptor(ProxyLoop& owner, Listener listener) : owner_(owner), listener_(std::move(listener)) {
    owner_.loop_.add(listener_.socket.get(), *this);
  }
  ~Acceptor() override {
    owner_.loop_.cancel(later_);
    owner_.loop_.remove(listener_.socket.get(), *this);
  }
  void on_events(std::uint32_t) override { accept(); }
  void close() {
    owner_.loop_.cancel(std::exchange(later_, 0));
    owner_.loop_.remove(listener_.socket.get(), *this);
    listener_.socket.close();
  }

 private:
  void accept() {
    if (later_ != 0 || !listener_.socket) return;
    for (int count = 0; count < accepts_in_a_row; ++count) {
      const bool full = owner_.clients_.size() + owner_.http2_.size() >= owner_.limits_.connections;
      if (full && !somebody_waits()) return;
      if (full && !owner_.make_room()) return look_again(accept_again);
      auto accepted = net::accept(listener_.socket.get());
      if (accepted.error != 0) {
        report("router", fmt::format("no client was accepted: {}", std::strerror(accepted.error)));
        return look_again(accept_again);
      }
      if (!accepted.fd) return;
      owner_.add_client(std::move(accepted.fd), accepted.peer, listener_);
    }
    look_again(std::chrono::milliseconds(0));
  }
  bool somebody_waits() const {
    pollfd listener{listener_.socket.get(), POLLIN, 0};
    return ::poll(&listener, 1, 0) > 0;
  }
  void look_again(std::chrono::milliseconds delay) {
    later_ = owner_.loop_.after(delay, [this] {
      later_ = 0;
      accept();
    });
  }

  ProxyLoop& owner_;
  Listener listener_;
  net::TimerId later_ = 0;
};

ProxyLoop::Waits::Waits(net::EventLoop& loop, const Limits& limits)
    : head(loop, limits.head),
      keep_alive(loop, limits.keep_alive),
      connect(loop, limits.connect),
      queue(loop, limits.queue),
      first_byte(loop, limits.first_byte),
      idle(loop, limits.idle),
      linger(loop, limits.linger) {}

ProxyLoop::ProxyLoop(const Limits& limits, LoopEvents events)
    : limits_(limits),
      events_(std::move(events)),
      waits_(loop_, limits_),
      table_(std::make_shared<const RouteIndex>()),
      meters_(limits_.meters),
      pools_(loop_, limits_.dyno_idle, limits_.pooled,
             [this](std::unique_ptr<DynoConnection> connection) { bury(std::move(connection)); }) {
  request_id_.fill('-');  // what stands between its digits
  fill_random({reinterpret_cast<unsigned char*>(&random_state_), sizeof random_state_});
  loop_.on_pause([this] { send_what_waits(); });
  loop_.on_idle([this] { end_turn(); });
}

// Streams before the connections that they are of.
ProxyLoop::~ProxyLoop() {
  clients_.clear();
  dead_clients_.clear();
}

void ProxyLoop::post_listen(Listener listener) {
  loop_.post([this, shared = std::make_shared<Listener>(std::move(listener))] {
    if (!draining_) acceptors_.push_back(std::make_unique<Acceptor>(*this, std::move(*shared)));
  });
}

// What goes wrong for one connection ends that one; what gets here must not end the others.
void ProxyLoop::run() {
  while (true) {
    try {
      return loop_.run();
    } catch (const std::exception& wrong) {
      report("router", wrong.what());
    }
  }
}

void ProxyLoop::post_table(std::shared_ptr<const RouteIndex> table,
                           std::shared_ptr<const TableDifference> difference,
                           std::function<void()> taken_over) {
  loop_.post([this, table = std::move(table), difference = std::move(difference),
              taken_over = std::move(taken_over)]() mutable {
    table_ = std::move(table);
    taking_over_.push_back({std::move(difference), std::move(taken_over)});
    // One that is served, or closes, leaves the list itself.
    const auto held = held_;
    for (auto* client : held) client->table_changed();
    if (taking_over_.size() == 1) take_over_some();
  });
}

void ProxyLoop::take_over_some() {
  auto& now = taking_over_.front();
  const auto& was = now.difference->was;
  const auto& left = now.difference->left;
  for (auto room = forgotten_in_a_row; room > 0 && now.apps < was.size(); --room) {
    meters_.forget(*was[now.apps++], *table_);
  }
  for (auto room = forgotten_in_a_row; room > 0 && now.dynos < left.size(); --room) {
    pools_.close_all(*left[now.dynos++]);
  }
  if (now.apps == was.size() && now.dynos == left.size()) {
    meters_.forget_idle(*table_);
    // Behind done() another thread lets go of what is large; nothing is to be left to us.
    now.difference.reset();
    const auto done = std::move(now.done);
    taking_over_.pop_front();
    done();
  }
  if (!taking_over_.empty()) loop_.post([this] { take_over_some(); });
}

void ProxyLoop::hold(ClientConnection& client) {
  client.held_place = held_.size();
  held_.push_back(&client);
}

void ProxyLoop::hold_no_longer(ClientConnection& client) {
  if (client.held_place == ClientConnection::nowhere) return;
  held_.back()->held_place = client.held_place;
  held_[client.held_place] = held_.back();
  held_.pop_back();
  client.held_place = ClientConnection::nowhere;
}

void ProxyLoop::post_drain(Idle idle, std::chrono::milliseconds limit, std::function<void()> done) {
  loop_.post([this, idle, limit, done = std::move(done)] { drain(idle, limit, done); });
}

void ProxyLoop::drain(Idle idle, std::chrono::milliseconds limit, std::function<void()> done) {
  draining_ = true;
  drained_ = std::move(done);
  for (auto& acceptor : acceptors_) acceptor->close();
  const auto last = idle == Idle::close_at_once ? ClientConnection::Last::this_request
                                                : ClientConnection::Last::next_request;
  for (std::size_t i = clients_.size(); i-- > 0;) {
    if (i < clients_.size()) clients_[i]->drain(last);
  }
  for (std::size_t i = http2_.size(); i-- > 0;) {
    if (i < http2_.size()) http2_[i]->drain(idle == Idle::close_at_once);
  }
  loop_.after(limit, [this] {
    while (!clients_.empty()) clients_.back()->force_close();
    while (!http2_.empty()) http2_.back()->force_close();
  });
}

void ProxyLoop::post_figures(std::function<void(RouterFigures)> then) {
  loop_.post([this, then = std::move(then)] {
    auto figures = meters_.read();
    const auto streams = std::count_if(clients_.begin(), clients_.end(),
                                       [](const auto& client) { return client->is_stream(); });
    figures.http1_clients = clients_.size() - static_cast<std::size_t>(streams);
    figures.http2_clients = http2_.size();
    then(std::move(figures));
  });
}

void ProxyLoop::post_turns(std::function<void(const Durations&)> then) {
  loop_.post([this, then = std::move(then)] { then(turns_); });
}

// Work posted from posted work runs a turn later, behind the events that were there before.
void ProxyLoop::post_skip(std::chrono::milliseconds time, std::function<void()> done) {
  loop_.post([this, time, done = std::move(done)] {
    loop_.post([this, time, done] {
      loop_.skip(time);
      done();
    });
  });
}

void ProxyLoop::add_client(os::Fd socket, const net::Address& peer, const Listener& listener) {
  ++meters_.accepted;
  try {
    std::unique_ptr<Transport> transport;
    if (listener.tls != nullptr) {
      transport = std::make_unique<TlsTransport>(std::move(socket), *listener.tls);
    } else {
      transport = std::make_unique<SocketTransport>(std::move(socket));
    }
    auto client = std::make_unique<ClientConnection>(*this, std::move(transport), client_ip(peer),
                                                     listener.entrance);
    add(std::move(client));
  } catch (const std::exception& wrong) {
    report("router", fmt::format("a client was turned away: {}", wrong.what()));
    return;
  }
  // Most send their request right behind the handshake, so it is here already.
  clients_.back()->resume();
}

ClientConnection& ProxyLoop::add(std::unique_ptr<ClientConnection> client) {
  client->place = clients_.size();
  clients_.push_back(std::move(client));
  return *clients_.back();
}

ClientConnection& ProxyLoop::add_stream(std::unique_ptr<Transport> transport, const std::string& ip,
                                        const Entrance& entrance) {
  return add(std::make_unique<ClientConnection>(*this, std::move(transport), ip, entrance));
}

void ProxyLoop::become_http2(std::unique_ptr<Transport> transport, const std::string& ip,
                             const Entrance& entrance, std::string_view first_bytes) {
  http2_.push_back(std::make_unique<Http2Connection>(*this, std::move(transport), ip, entrance));
  auto& connection = *http2_.back();
  connection.place = http2_.size() - 1;
  connection.start(first_bytes);
  if (draining_) connection.drain(false);
}

void ProxyLoop::flush_later(Http2Connection& connection) {
  if (std::exchange(connection.flush_is_due, true)) return;
  unflushed_.push_back(&connection);
}

void ProxyLoop::gone(Http2Connection& connection) {
  std::erase(unflushed_, &connection);
  const auto place = connection.place;
  dead_http2_.push_back(std::move(http2_[place]));
  if (place + 1 != http2_.size()) {
    http2_[place] = std::move(http2_.back());
    http2_[place]->place = place;
  }
  http2_.pop_back();
}

void ProxyLoop::gone(ClientConnection& client) {
  forget_again(client);
  const auto place = client.place;
  dead_clients_.push_back(std::move(clients_[place]));
  if (place + 1 != clients_.size()) {
    clients_[place] = std::move(clients_.back());
    clients_[place]->place = place;
  }
  clients_.pop_back();
}

std::unique_ptr<Exchange> ProxyLoop::new_exchange() {
  if (spare_exchanges_.empty()) return std::make_unique<Exchange>();
  auto exchange = std::move(spare_exchanges_.back());
  spare_exchanges_.pop_back();
  return exchange;
}

void ProxyLoop::give_back(std::unique_ptr<Exchange> exchange) {
  if (!exchange || spare_exchanges_.size() >= most_spare_exchanges) return;
  exchange->reset();
  spare_exchanges_.push_back(std::move(exchange));
}

// Whoever has waited longest for nothing makes room for a client that has something to ask.
bool ProxyLoop::make_room() { return waits_.keep_alive.end_first(idle_enough); }

void ProxyLoop::bury(std::unique_ptr<DynoConnection> connection) {
  dead_connections_.push_back(std::move(connection));
}

void ProxyLoop::again(ClientConnection& client) {
  if (std::find(again_.begin(), again_.end(), &client) == again_.end()) again_.push_back(&client);
  if (again_posted_) return;
  again_posted_ = true;
  loop_.post([this] {
    again_posted_ = false;
    auto clients = std::exchange(again_, {});
    // One of them may close another; the list of those still to go on is kept where it is found.
    std::reverse(clients.begin(), clients.end());
    std::swap(clients, resuming_);
    while (!resuming_.empty()) {
      auto* next = resuming_.back();
      resuming_.pop_back();
      next->resume();
    }
  });
}

void ProxyLoop::forget_again(const ClientConnection& client) {
  std::erase(again_, &client);
  std::erase(resuming_, &client);
}

void ProxyLoop::wake(const App& app) {
  if (!app.wake_asked.exchange(true)) events_.on_wake(app.route.app);
}

void ProxyLoop::dyno_released(DynoState& dyno) {
  if (dyno.under_way.fetch_sub(1) == 1 && dyno.leaving.load()) events_.on_free(dyno);
}

void ProxyLoop::log(std::string_view app, std::int64_t at, std::string_view request,
                    const LogOutcome& outcome) {
  if (record_count_ == 0) records_.reserve(room_for_records_);
  append_log_record(records_, app, at,
                    [&](std::string& records) { write_log_line(records, request, outcome); });
  ++record_count_;
  if (records_.size() >= records_at_once) {
    flush_log();
  } else if (log_timer_ == 0) {
    log_timer_ = loop_.after(limits_.log_delay, [this] {
      log_timer_ = 0;
      flush_log();
    });
  }
}

void ProxyLoop::flush_log() {
  if (record_count_ == 0) return;
  loop_.cancel(std::exchange(log_timer_, 0));
  // As much again as this time, so that they are not copied as they grow; little where little is
  // asked.
  room_for_records_ = records_.size() + records_.size() / 4;
  events_.on_log(std::exchange(records_, {}), std::exchange(record_count_, 0));
}

// Whatever many streams have left by now goes out in few writes.
void ProxyLoop::flush_streams() {
  auto unflushed = std::exchange(unflushed_, {});
  for (auto* connection : unflushed) connection->flush_is_due = false;
  for (auto* connection : unflushed) connection->flush();
  // Those that have more to say by now, after the others have had their turn.
  if (!unflushed_.empty()) loop_.post([] {});
}

void ProxyLoop::send_what_waits() {
  outbox_.send();
  flush_streams();
}

void ProxyLoop::end_turn() {
  // Whoever has been at it longest is told that it took too long.
  while (unfinished_heads_ > limits_.unfinished_heads && waits_.head.end_first({})) {
  }
  send_what_waits();
  dead_clients_.clear();
  dead_http2_.clear();
  dead_connections_.clear();
  if (draining_ && clients_.empty() && http2_.empty() && drained_) {
    flush_log();
    std::exchange(drained_, nullptr)();
  }
  micros_ = 0;
  turns_.count(std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - loop_.now()));
}

std::string_view ProxyLoop::new_request_id() {
  if (entropy_used_ + 16 > entropy_.size()) {
    fill_random(entropy_);
    entropy_used_ = 0;
  }
  auto* bytes = entropy_.data() + entropy_used_;
  entropy_used_ += 16;
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  constexpr std::array<unsigned char, 16> places = {0,  2,  4,  6,  9,  11, 14, 16,
                                                    19, 21, 24, 26, 28, 30, 32, 34};
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::memcpy(&request_id_[places[i]], hexadecimal[bytes[i]].data(), 2);
  }
  return {request_id_.data(), request_id_.size()};
}

// xorshift64*: which dyno is asked is nobody's secret, and this is asked for every request.
std::uint64_t ProxyLoop::random_below(std::uint64_t bound) {
  random_state_ |= random_state_ == 0;
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return ((random_state_ * 0x2545F4914F6CDD1DULL) >> 32) % bound;
}

std::int64_t ProxyLoop::micros() {
  if (micros_ == 0) {
    micros_ = std::chrono::duration_cast<std::chrono::microseconds>(
                  std::chrono::system_clock::now().time_since_epoch())
                  .count();
  }
  return micros_;
}

std::string_view ProxyLoop::date() {
  const auto second = micros() / 1'000'000;
  if (second != date_second_) {
    date_second_ = second;
    std::tm parts{};
    const auto time = static_cast<std::time_t>(second);
    ::gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    // Nobody here sets a locale, so the names are English.
    const auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_.assign(text.data(), size);
  }
  return date_;
}

}  // namespace renga::router

// The connection and its states. Every entry (an event of either socket, a time-out, a new table)
// changes what it must and then calls run(), which goes round advance() until nothing moves any
// more; so that no step calls the next one's caller, however many requests a client has sent in one
// piece.
//
// A client whose FIN has come while it waits for an answer is taken to be gone, as at Heroku:
// nothing tells a closed socket from one that is only shut for writing, and hardly any HTTP client
// does the latter.
#include "router/client_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/report.h"
#include "router/error_pages.h"
#include "router/proxy_loop.h"

namespace renga::router {

namespace {
constexpr int reads_in_a_row = 16;  // of one connection, before others have their turn

// Where an answer to HTTP/1.0 ends with the connection, only a reset says that it was cut short.
void reset_at_close(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

void Exchange::reset() {
  auto keep_log = std::move(log_request);
  auto keep_dyno = std::move(to_dyno);
  std::destroy_at(this);
  std::construct_at(this);
  keep_log.clear();
  keep_dyno.clear();
  log_request = std::move(keep_log);
  to_dyno = std::move(keep_dyno);
}

ClientConnection::ClientConnection(ProxyLoop& loop, std::unique_ptr<Transport> transport,
                                   std::string ip, const Entrance& entrance)
    : loop_(loop),
      transport_(std::move(transport)),
      stream_(transport_->stream()),
      ip_(std::move(ip)),
      entrance_(entrance),
      step_([this] { guarded([this] { timed_out(); }); }),
      queue_([this] { guarded([this] { queue_timed_out(); }); }) {
  if (transport_->fd() < 0) return;  // a stream, whose request is here already
  loop_.events().add(transport_->fd(), *this);
  loop_.waits().keep_alive.start(step_);
}

ClientConnection::~ClientConnection() {
  if (state_ == State::closed) {
    loop_.give_back(std::move(exchange_));
    return;
  }
  // The loop is being taken down; the counters are shared, and outlive it.
  loop_.events().cancel(look_);
  loop_.forget_again(*this);
  loop_.hold_no_longer(*this);
  let_go(false);
  stop_counting();
  move_to_meter(nullptr);
  if (transport_->fd() >= 0) loop_.events().remove(transport_->fd(), *this);
}

void ClientConnection::ended_by(const std::exception& wrong) {
  report("router", std::string("a connection was closed: ") + wrong.what());
  if (state_ != State::closed) close();
}

void ClientConnection::on_events(std::uint32_t events) {
  guarded([&] {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
    if (!readable_ && (events & EPOLLOUT) != 0 && transport_->read_wants_write()) readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) client_closed_ = true;
    if ((events & EPOLLERR) != 0) broken_ = true;
  });
}

void ClientConnection::on_dyno_events(std::uint32_t events) {
  guarded([&] {
    auto& x = *exchange_;
    if (state_ == State::connecting) {
      const int error = x.connection->socket_error();
      if (error != 0) {
        // Behind this `exchange_` may have another connection, which these events are not of.
        return connect_failed(error == ETIMEDOUT ? h::connection_timeout : h::connection_refused);
      }
      if ((events & EPOLLOUT) != 0) {
        x.connect_ms = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.events().now() -
                                                                             x.connecting_since)
                           .count();
        connected();
      }
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) x.readable = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) x.dyno_finished = true;
    if ((events & EPOLLOUT) != 0 && state_ == State::relaying) flush_to_dyno();
  });
}

void ClientConnection::begin_stream(const http::RequestHead& head, const http::Parsed& parsed) {
  guarded([&] {
    exchange_ = loop_.new_exchange();
    if (parsed.state == http::Parse::refused) {
      refuse_head(head, parsed);
    } else {
      begin(head, nullptr, 0);
    }
  });
}

// The first bytes behind the handshake are here, and they are not HTTP/1.1's: the connection goes
// on as another object, and this one ends.
void ClientConnection::leave_for_http2(std::string_view first_bytes) {
  step_.cancel();
  loop_.events().remove(transport_->fd(), *this);
  state_ = State::closed;
  loop_.gone(*this);
  loop_.become_http2(std::move(transport_), ip_, entrance_, first_bytes);
}

// Asked of each that is held, with every table; most tables are about others.
void ClientConnection::table_changed() {
  if (state_ != State::queued) return;
  const auto* now = loop_.table().find_app(exchange_->app->route.app);
  if (now != nullptr && *now == exchange_->app) return;
  guarded([this] { admit(); });
}

void ClientConnection::run() {
  do {
    again_ = false;
    if (state_ == State::closed) return;
    flush_to_client();
    if (!broken_) advance();
    if (broken_ && state_ != State::closed) client_gone();
  } while (again_);
}

void ClientConnection::advance() {
  switch (state_) {
    case State::head:
      read_head();
      break;
    case State::queued:
    case State::connecting:
      if (client_closed_ && exchange_->received) client_gone();
      break;
    case State::relaying:
      pump_request();
      if (state_ == State::relaying) pump_response();
      if (state_ == State::relaying && client_closed_ && exchange_->received) client_gone();
      break;
    case State::pipe:
      pump_pipe();
      break;
    case State::finishing:
      if (!to_client_.empty()) break;
      transport_->end_message();
      if (transport_->flushed()) end_request();
      break;
    case State::lingering:
      linger();
      break;
    case State::closed:
      break;
  }
}

void ClientConnection::wait_for_request() {
  state_ = State::head;
  loop_.waits().keep_alive.start(step_);
  again_ = readable_ || !in_.empty();
}

void ClientConnection::read_head() {
  if (!in_.empty() && !partial_ && take_head(in_.data(), in_.size())) return;
  auto& scratch = loop_.scratch();
  while (state_ == State::head && readable_) {
    const auto got = transport_->read(scratch.data(), scratch.size());
    if (got.drained) readable_ = client_closed_;
    if (got.status == Transport::Status::closed || got.status == Transport::Status::broken) {
      close();
      return;
    }
    if (got.status == Transport::Status::blocked) {
      readable_ = false;
      return;
    }
    if (!std::exchange(protocol_known_, true) && transport_->chose_http2()) {
      return leave_for_http2({scratch.data(), got.bytes});
    }
    if (in_.empty()) {
      if (take_head(scratch.data(), got.bytes)) return;
    } else {
      in_.append(scratch.data(), got.bytes);
      if (take_head(in_.data(), in_.size())) return;
    }
  }
}

bool ClientConnection::take_head(char* bytes, std::size_t size) {
  auto& parser = partial_ ? *partial_ : loop_.request_parser();
  if (!partial_) parser.reset();
  const auto parsed = parser.parse({bytes, size});
  if (parsed.state == http::Parse::need_more) {
    if (bytes != in_.data()) in_.assign(bytes, size);
    if (!partial_) {
      // The loop's parser is the next client's; this one remembers where it was.
      partial_ = std::make_unique<http::RequestParser>();
      loop_.waits().head.start(step_);
    }
    count_head(in_.capacity() + partial_->head().fields.capacity() * sizeof(http::Field));
    return false;
  }
  step_.cancel();
  exchange_ = loop_.new_exchange();
  if (parsed.state == http::Parse::refused) {
    refuse_head(parser.head(), parsed);
  } else {
    const auto& head = parser.head();
    begin(head, bytes + head.size, size - head.size);
  }
  partial_.reset();
  count_head(0);
  return true;
}

void ClientConnection::count_head(std::size_t size) {
  loop_.unfinished_heads() += size - head_counted_;
  head_counted_ = size;
}

void ClientConnection::keep_input(std::string_view rest) {
  if (!in_.empty() && rest.data() >= in_.data() && rest.data() <= in_.data() + in_.size()) {
    in_.erase(0, in_.size() - rest.size());
  } else {
    in_.assign(rest);
  }
  if (in_.empty() && in_.capacity() > 4096) std::string().swap(in_);
}

// Nothing behind a refused head can be told apart, so the connection ends with the answer. Its Host
// may be what it was refused for: what is no name is nobody's, and not to be written to a log.
void ClientConnection::refuse_head(const http::RequestHead& head, const http::Parsed& why) {
  auto& x = *exchange_;
  x.keep_alive = false;
  x.is_head = head.method == "HEAD";
  const int status = http::status_of(why.flaw);
  auto known = head;
  const auto* host = http::find_field(head, http::Known::host);
  if (known.host.empty() && host != nullptr) known.host = host->value;
  if (!http::is_token(http::without_port(known.host))) known.host = {};
  identify(known);
  log(&h::bad_header, "bad header", status);
  answer_page(status, refusal_page(status, why.reason));
}

// Sends what it has in the outbox; false: not all of it went, or the other side is gone.
bool ClientConnection::empty_outbox() {
  if (outbox_place == nowhere) return true;
  const auto answer = loop_.outbox().take(*this);
  if (answer.empty()) {
    // Unless it has failed meanwhile.
    if (state_ != State::relaying) return true;
    flush_to_dyno();
    return !exchange_->upload_broken;
  }
  iovec part{const_cast<char*>(answer.data()), answer.size()};
  const auto outcome = transport_->write(&part, 1);
  if (outcome.status == Transport::Status::broken) broken_ = true;
  to_client_.append(answer.substr(outcome.bytes));
  return to_client_.empty();
}

void ClientConnection::send_from_outbox() {
  try {
    if (!empty_outbox()) run();
  } catch (const std::exception& wrong) {
    ended_by(wrong);
  }
}

void ClientConnection::flush_to_client() {
  bool moved = false;
  while (!to_client_.empty() && !broken_) {
    const auto left = to_client_.left();
    iovec part{const_cast<char*>(left.data()), left.size()};
    const auto sent = transport_->write(&part, 1);
    if (sent.status == Transport::Status::broken) broken_ = true;
    if (sent.status != Transport::Status::moved) break;
    to_client_.take(sent.bytes);
    moved = true;
  }
  if (moved && exchange_ && exchange_->head_sent) loop_.waits().idle.start(step_);
}

void ClientConnection::send_to_client(std::string_view head, std::string_view body,
                                      std::string_view tail) {
  std::array<iovec, 3> parts;
  std::size_t count = 0;
  std::size_t size = 0;
  for (const auto part : {head, body, tail}) {
    if (part.empty()) continue;
    parts[count++] = {const_cast<char*>(part.data()), part.size()};
    size += part.size();
  }
  empty_outbox();
  if (count == 0 || broken_) return;
  std::size_t sent = 0;
  if (to_client_.empty()) {
    const auto outcome = transport_->write(parts.data(), count);
    if (outcome.status == Transport::Status::broken) {
      broken_ = true;
      return;
    }
    sent = outcome.bytes;
    if (sent == size) return;
  }
  for (const auto part : {head, body, tail}) {
    const auto skipped = std::min(sent, part.size());
    to_client_.append(part.substr(skipped));
    sent -= skipped;
  }
}

// The client has closed or reset its connection.
void ClientConnection::client_gone() {
  switch (state_) {
    case State::queued:
    case State::connecting:
    case State::relaying:
    case State::finishing:
      log(is_stream() ? &h::stream_broken : &h::client_gone, {}, h::client_gone.status);
      break;
    case State::pipe:
      log(nullptr, {}, exchange_->status);
      break;
    default:
      break;
  }
  close();
}

void ClientConnection::timed_out() {
  if (state_ == State::head) {
    // An empty line behind a body (RFC 9112 2.2) is no head that has begun.
    if (!partial_ || in_ == "\r\n") return close();
    partial_.reset();
    std::string().swap(in_);
    count_head(0);
    exchange_ = loop_.new_exchange();
    exchange_->keep_alive = false;
    return answer_page(408, refusal_page(408, "The request's head took too long to arrive."));
  }
  if (!exchange_) return close();
  auto& x = *exchange_;
  const bool client_owes = !x.received;
  switch (state_) {
    case State::connecting:
      connect_failed(h::connection_timeout);
      break;
    case State::relaying:
      if (!x.head_sent && (x.sent || dyno_owes_continue())) {
        return fail_request(h::request_timeout);
      }
      // Somebody has not moved for long: the dyno if it does not take what we have for it, or owes
      // more of its answer; the client likewise.
      if (!x.to_dyno.empty()) return fail_request(h::idle_connection);
      if (client_owes || !to_client_.empty()) return fail_request(h::client_idle);
      fail_request(h::idle_connection);
      break;
    case State::pipe:
      fail_request(h::idle_connection);
      break;
    case State::finishing:
      log(&h::client_idle, {}, h::client_idle.status);
      close();
      break;
    default:
      close();
      break;
  }
}

void ClientConnection::linger() {
  if (state_ != State::lingering) {
    empty_outbox();
    state_ = State::lingering;
    transport_->finish_writing();
    loop_.waits().linger.start(step_);
    in_.clear();
  }
  auto& scratch = loop_.scratch();
  for (int reads = 0; readable_; ++reads) {
    if (reads == reads_in_a_row) return loop_.again(*this);
    const auto got = transport_->read(scratch.data(), scratch.size());
    if (got.status == Transport::Status::closed || got.status == Transport::Status::broken) {
      return close();
    }
    if (got.drained) readable_ = client_closed_ && got.status == Transport::Status::moved;
  }
}

void ClientConnection::drain(Last last) {
  guarded([&] {
    last_request_ = true;
    empty_outbox();
    const bool asks_nothing =
        state_ == State::head && in_.empty() && !partial_ && to_client_.empty();
    if (last == Last::this_request && asks_nothing) close();
  });
}

void ClientConnection::force_close() {
  if (state_ == State::closed) return;
  if (state_ != State::head && state_ != State::lingering) log(&h::forced_close, {}, 0);
  close();
}

void ClientConnection::close() {
  if (state_ == State::closed) return;
  // Of an answer in there it has been said that the client has it; a request need not set out.
  if (state_ != State::relaying) {
    empty_outbox();
  } else if (outbox_place != nowhere) {
    loop_.outbox().take(*this);
  }
  step_.cancel();
  queue_.cancel();
  loop_.events().cancel(look_);
  loop_.hold_no_longer(*this);
  let_go(false);
  stop_counting();
  move_to_meter(nullptr);
  if (exchange_) {
    if (exchange_->head_sent && transport_->fd() >= 0 &&
        (exchange_->relay == Relay::dechunked || exchange_->relay == Relay::until_close)) {
      reset_at_close(transport_->fd());
    }
    exchange_->pipe.reset();
    exchange_->app.reset();
  }
  state_ = State::closed;
  again_ = false;
  count_head(0);
  if (transport_->fd() >= 0) loop_.events().remove(transport_->fd(), *this);
  transport_->close();
  loop_.gone(*this);
}

}  // namespace renga::router

// Dyno to client: the response's head, rewritten, and its body, reframed where the client needs it;
// and the router's own pages. A connection to a dyno serves another request only when this one
// ended the way both sides understood it: everything sent, everything read, not a byte more, no
// "close".
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "http/message.h"
#include "router/affinity.h"
#include "router/chunk_filter.h"
#include "router/client_connection.h"
#include "router/error_pages.h"
#include "router/h2_stream.h"
#include "router/log_line.h"
#include "router/proxy_loop.h"

namespace renga::router {

namespace {
using namespace std::string_view_literals;

constexpr int reads_in_a_row = 16;
constexpr std::size_t largest_log_kept = 4096;
}  // namespace

void ClientConnection::pump_response() {
  auto& x = *exchange_;
  auto& scratch = loop_.scratch();
  // A stream holds back some of its own, and there are many of them.
  const auto most_unsent = is_stream() ? 0 : loop_.limits().backpressure;
  for (int reads = 0; state_ == State::relaying && x.connection && x.readable; ++reads) {
    if (to_client_.size() > most_unsent || broken_) return;
    if (reads == reads_in_a_row) return loop_.again(*this);
    const auto got = x.connection->transport().read(scratch.data(), scratch.size());
    if (got.drained) x.readable = x.dyno_finished && got.status == Transport::Status::moved;
    if (got.status == Transport::Status::blocked) return;
    if (got.status != Transport::Status::moved) {
      return dyno_closed(got.status == Transport::Status::broken);
    }
    x.answered = true;
    if (x.head_sent) {
      auto& nothing = loop_.head_scratch();
      nothing.clear();
      take_response_body(nothing, scratch.data(), got.bytes);
    } else {
      take_response_head(scratch.data(), got.bytes);
    }
    if (state_ == State::relaying && x.head_sent) loop_.waits().idle.start(step_);
  }
}

void ClientConnection::take_response_head(char* data, std::size_t size) {
  auto& x = *exchange_;
  if (!x.from_dyno.empty()) {
    x.from_dyno.append(data, size);
    data = x.from_dyno.data();
    size = x.from_dyno.size();
  }
  auto& parser = x.partial ? *x.partial : loop_.response_parser();
  if (!x.partial) parser.reset();
  while (true) {
    const auto parsed = parser.parse({data, size}, x.is_head ? "HEAD" : "GET");
    if (parsed.state == http::Parse::refused) return refuse_response(parsed.flaw, {data, size});
    if (parsed.state == http::Parse::need_more) {
      if (x.from_dyno.empty()) {
        x.from_dyno.assign(data, size);
      } else {
        x.from_dyno.erase(0, x.from_dyno.size() - size);
      }
      if (!x.partial) x.partial = std::make_unique<http::ResponseParser>();
      return;
    }
    const auto& head = parser.head();
    data += head.size;
    size -= head.size;
    if (head.status >= 200 || head.status == 101) return begin_response(head, data, size);
    // Any other 1xx: 100 is the router's to say, unless the app has asked to, and the rest is news
    // that nobody must have.
    if (head.status == 100 && x.app->route.end_to_end_continue) {
      if (std::exchange(x.continued, true)) return fail_request(h::poor_response);
      if (std::exchange(x.awaits_continue, false)) send_continue();
      request_progress();
    }
    parser.reset();
    if (size == 0) {
      x.from_dyno.clear();
      return;
    }
  }
}

void ClientConnection::send_continue() {
  if (is_stream()) return stream_->send_continue();
  send_to_client("HTTP/1.1 100 Continue\r\n\r\n", {});
}

void ClientConnection::refuse_response(http::Flaw flaw, std::string_view head) {
  switch (flaw) {
    case http::Flaw::bad_length:
      return fail_request(h::bad_length);
    case http::Flaw::cookie_too_large:
      return fail_request(h::large_cookie);
    case http::Flaw::header_too_large:
      return fail_request(head.find('\n') > 8192 ? h::large_status_line : h::large_header);
    default:
      return fail_request(h::poor_response);
  }
}

void ClientConnection::begin_response(const http::ResponseHead& head, char* body,
                                      std::size_t size) {
  auto& x = *exchange_;
  if (head.status == 101) return switch_protocols(head, {body, size});

  x.status = head.status;
  x.relay = relay_of(head, is_stream() ? 0 : x.minor);
  x.answer_left = head.framing.length;
  x.dyno_keeps = head.keep_alive && !x.app->route.disable_keepalive;
  // Before the whole request is here nobody knows whether the client will ever send the rest.
  if (!x.received || last_request_ || x.relay == Relay::dechunked ||
      x.relay == Relay::until_close) {
    x.keep_alive = false;
  }
  auto& out = loop_.head_scratch();
  out.clear();
  const auto cookie = x.new_affinity ? affinity_cookie(x.affinity) : std::string();
  const Return back{.relay = x.relay,
                    .client_minor = x.minor,
                    .keep_alive = x.keep_alive,
                    .date = loop_.date(),
                    .cookie = cookie};
  if (is_stream()) {
    const bool none = x.relay == Relay::none || (x.relay == Relay::length && x.answer_left == 0);
    stream_->send_head(head, back,
                       none ? Http2Stream::Follows::nothing : Http2Stream::Follows::body);
  } else {
    write_response_head(out, head, back);
  }
  take_response_body(out, body, size);
  x.from_dyno.clear();
  x.partial.reset();
}

// RFC 9110 7.8: only what the client asked for, and only once its request is complete, so that no
// byte of it can be taken for the new protocol's.
void ClientConnection::switch_protocols(const http::ResponseHead& head, std::string_view rest) {
  auto& x = *exchange_;
  if (!x.upgrade || !request_sent()) return fail_request(h::unasked_upgrade);
  x.status = 101;
  auto& out = loop_.head_scratch();
  out.clear();
  const auto cookie = x.new_affinity ? affinity_cookie(x.affinity) : std::string();
  write_response_head(out, head, {.date = loop_.date(), .cookie = cookie});
  send_to_client(out, rest);
  x.head_sent = true;
  x.bytes = rest.size();
  x.from_dyno.clear();
  x.partial.reset();
  // The dyno is free to be told to stop: a pipe may last for days, and closing it is then its
  // business.
  if (auto* dyno = std::exchange(x.dyno, nullptr)) loop_.dyno_released(*dyno);
  if (x.load != nullptr) x.pipe = std::make_unique<PipeCount>(x.app->load);
  stop_counting();

  state_ = State::pipe;
  x.replayable = false;
  x.received = x.sent = x.complete = x.dyno_keeps = false;
  x.to_dyno.clear();
  send_to_dyno(in_);
  std::string().swap(in_);
  loop_.waits().idle.start(step_);
  again_ = true;
}

// Sends `head`, which is empty but with the first piece, and what is the body's of the data.
void ClientConnection::take_response_body(std::string& head, char* data, std::size_t size) {
  auto& x = *exchange_;
  bool over = false;
  std::size_t used = size;
  std::size_t payload = size;
  std::string_view body(data, size);
  std::string_view tail;
  switch (x.relay) {
    case Relay::none:
      over = true;
      used = payload = 0;
      body = {};
      break;
    case Relay::length:
      used = payload = static_cast<std::size_t>(std::min<std::uint64_t>(x.answer_left, size));
      x.answer_left -= used;
      over = x.answer_left == 0;
      body = body.substr(0, used);
      break;
    case Relay::chunked:
    case Relay::dechunked: {
      const auto keep = x.relay == Relay::chunked ? Keep::framing_and_payload : Keep::payload;
      const auto chunks = filter_chunks(x.answer_chunks, data, size, keep);
      if (chunks.refused) return fail_request(h::poor_response);
      over = chunks.done;
      used = chunks.used;
      payload = chunks.payload;
      body = body.substr(0, chunks.kept);
      break;
    }
    case Relay::into_chunks:
      if (body.empty()) break;
      fmt::format_to(std::back_inserter(head), "{:x}\r\n", size);
      tail = "\r\n";
      break;
    case Relay::until_close:
      break;
  }
  x.head_sent = true;
  x.bytes += payload;
  // What is the last of its connection goes at once, and so does whatever has more behind it.
  const auto answer = head.size() + body.size();
  const bool can_wait = over && answer > 0 && answer <= Outbox::largest && client_stays() &&
                        !is_stream() && to_client_.empty() && outbox_place == nowhere;
  if (can_wait) {
    loop_.outbox().put_answer(*this, head, body);
  } else {
    send_to_client(head, body, tail);
  }
  if (over) response_complete(used < size);
}

void ClientConnection::dyno_closed(bool reset) {
  auto& x = *exchange_;
  if (x.head_sent) {
    if (!reset && (x.relay == Relay::into_chunks || x.relay == Relay::until_close)) {
      if (x.relay == Relay::into_chunks) send_to_client("0\r\n\r\n", {});
      return response_complete(false);
    }
    return fail_request(h::interrupted);
  }
  if (x.answered) return fail_request(h::interrupted);
  if (try_again(reset)) return;
  fail_request(h::closed_without_response);
}

// A pooled connection can be closed by the dyno just as a request sets out. That is no fault, and a
// second dyno connection is tried, once, if the first dyno cannot have acted on the request: any
// request that may be repeated anyway; others only when the dyno's kernel has refused part of them
// (a reset, or bytes never acknowledged), not when the dyno took them, thought, and closed.
bool ClientConnection::try_again(bool reset) {
  auto& x = *exchange_;
  if (!x.connection->reused || x.tried_again || !x.replayable) return false;
  const bool refused = reset || x.connection->socket_error() != 0 || x.upload_broken ||
                       x.connection->unacknowledged();
  if (!x.idempotent && !refused) return false;
  x.tried_again = true;
  x.to_dyno.rewind();
  x.sent = false;
  x.connect_ms = -1;
  x.connected_at = {};
  let_go(false);
  admit();
  return true;
}

bool ClientConnection::dyno_connection_is_clean() const {
  const auto& x = *exchange_;
  if (!x.dyno_keeps || x.dyno_finished || !request_sent()) return false;
  if (!x.readable) return true;
  // The last read filled the buffer to its end: there may be more.
  char byte = 0;
  return ::recv(x.connection->transport().fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         errno == EAGAIN;
}

void ClientConnection::response_complete(bool leftover) {
  auto& x = *exchange_;
  x.complete = true;
  if (!x.received) x.keep_alive = false;
  let_go(!leftover && dyno_connection_is_clean());
  state_ = State::finishing;
  if (to_client_.empty()) {
    step_.cancel();
  } else {
    loop_.waits().idle.start(step_);
  }
  again_ = true;
}

// Ends the request with one of the router's codes: with its page while nothing of an answer has
// been sent, else by cutting the connection, which is how HTTP/1.1 says that an answer is not
// complete.
void ClientConnection::fail_request(const HCode& code, std::string_view cause) {
  auto& x = *exchange_;
  loop_.events().cancel(std::exchange(look_, 0));
  queue_.cancel();
  log(&code, cause, code.status);
  let_go(false);
  if (x.head_sent || code.status == 499) return close();
  answer_page(code.status, error_page(code, x.app ? &x.app->route : nullptr));
}

void ClientConnection::send_own_head(int status, std::string_view content_type, std::size_t size,
                                     std::string_view location, bool ends) {
  const fmt::format_int length(size);
  http::ResponseHead head;
  head.status = status;
  head.fields = {{"content-type", content_type},
                 {"content-length", {length.data(), length.size()}},
                 {"cache-control", "no-cache, no-store"}};
  if (!location.empty()) head.fields.push_back({"location", location});
  if (status == 405) {
    head.fields.push_back({"allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"});
  }
  stream_->send_head(head, {.relay = Relay::length, .date = loop_.date()},
                     ends ? Http2Stream::Follows::nothing : Http2Stream::Follows::body);
}

void ClientConnection::answer_page(int status, std::string_view html) {
  answer(status, "text/html; charset=utf-8", html);
}

void ClientConnection::answer(int status, std::string_view content_type, std::string_view body,
                              std::string_view location) {
  auto& x = *exchange_;
  if (!x.received || last_request_) x.keep_alive = false;
  x.status = status;
  x.head_sent = x.complete = true;
  auto body_sent = body;
  auto& out = loop_.head_scratch();
  out.clear();
  if (x.is_head) body_sent = {};
  if (is_stream()) {
    send_own_head(status, content_type, body.size(), location, body_sent.empty());
  } else {
    fmt::format_to(
        std::back_inserter(out),
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n"
        "Content-Length: {}\r\nCache-Control: no-cache, no-store\r\n"
        "Server: renga-router\r\nDate: {}\r\n{}{}{}{}Connection: {}\r\n\r\n",
        status, http::reason_phrase(status), content_type, body.size(), loop_.date(),
        status == 405 ? "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE\r\n" : "",
        location.empty() ? "" : "Location: ", location, location.empty() ? "" : "\r\n",
        x.keep_alive ? "keep-alive" : "close");
  }
  queue_.cancel();
  loop_.events().cancel(std::exchange(look_, 0));
  loop_.hold_no_longer(*this);
  let_go(false);
  x.to_dyno.clear();  // a client may take its time to read the answer
  state_ = State::finishing;
  loop_.waits().idle.start(step_);
  send_to_client(out, body_sent);
  again_ = true;
}

// Whether it may ask again once its answer is complete.
bool ClientConnection::client_stays() const {
  return exchange_->keep_alive && exchange_->received && !last_request_;
}

void ClientConnection::end_request() {
  auto& x = *exchange_;
  log(nullptr, {}, x.status);
  stop_counting();
  move_to_meter(nullptr);
  const bool stays = client_stays();
  if (is_stream()) return close();
  loop_.give_back(std::move(exchange_));
  if (stays) {
    wait_for_request();
  } else {
    linger();
  }
}

void ClientConnection::log(const HCode* code, std::string_view cause, int status) {
  auto& x = *exchange_;
  if (x.logged || !x.app) return;
  x.logged = true;
  std::int64_t service = -1;
  if (x.connected_at != std::chrono::steady_clock::time_point()) {
    service =
        std::chrono::duration_cast<std::chrono::milliseconds>(loop_.events().now() - x.connected_at)
            .count();
  }
  if (x.meter != nullptr) {
    x.meter->count(status, code, x.bytes_in, x.bytes);
    // How long a pipe was open, whatever has ended it, is not how long somebody waited.
    if (x.status != 101) {
      x.meter->took(
          std::chrono::duration_cast<std::chrono::microseconds>(loop_.events().now() - x.began));
    }
  }
  // Of now and not of when the request came: a log is in order, however long a pipe was open.
  loop_.log(x.app->route.app, loop_.micros(), x.log_request,
            {.code = code,
             .cause = cause,
             .agent = x.agent,
             .dyno = x.dyno_name,
             .connect_ms = x.connect_ms,
             .service_ms = service,
             .status = status,
             .bytes = x.bytes,
             .protocol = is_stream() ? "http2.0"sv : "http1.1"sv,
             .tls_version = transport_->tls_version()});
  if (x.log_request.capacity() > largest_log_kept) std::string().swap(x.log_request);
}

}  // namespace renga::router

// The input side of a Connection: from the first byte to the end of a request's body.
#include <algorithm>

#include "base/id.h"
#include "base/report.h"
#include "http/answer.h"
#include "http/connection.h"

namespace renga::http {

namespace {

constexpr char tls_handshake = 0x16;
constexpr std::size_t longest_line = 512;                 // of a connection that is not HTTP
constexpr std::size_t most_discarded = 64 * 1024 * 1024;  // after the last answer

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

bool Connection::wants_input() const {
  switch (input_) {
    case Input::first_byte:
    case Input::lingering:
      return true;
    case Input::head:
      return !exchange_;
    case Input::body:
      if (exchange_ && exchange_->in) return exchange_->in->has_room();
      return true;
    case Input::raw:
      return exchange_->in->has_room();
    default:
      return false;
  }
}

bool Connection::fill_input() {
  // A streamed answer has no other sign that its client is gone.
  if (peer_done_ && input_ == Input::waiting && exchange_ && exchange_->out &&
      !exchange_->answered) {
    close();
    return false;
  }
  if (!wants_input()) {
    // The client is not who we wait for.
    if (input_ == Input::body) set_input_limit(std::nullopt);
    return false;
  }
  if (input_ == Input::body && !input_deadline_) set_input_limit(shared_.options.limits.body);
  if (read_blocked_) return false;
  if (input_ == Input::first_byte) return sniff();

  const auto got = transport_.read(shared_.scratch.data(), shared_.scratch.size());
  switch (got.io) {
    case Transport::Io::blocked:
      read_blocked_ = true;
      return false;
    case Transport::Io::failed:
      close();
      return false;
    case Transport::Io::ended:
      return input_ended();
    case Transport::Io::done:
      break;
  }
  const std::string_view bytes(shared_.scratch.data(), got.bytes);
  switch (input_) {
    case Input::lingering:
      discarded_ += bytes.size();
      if (discarded_ > most_discarded) close();
      break;
    case Input::raw:
      exchange_->in->push(bytes);
      break;
    default:
      if (input_ == Input::body) set_input_limit(shared_.options.limits.body);
      if (input_ == Input::head && input().empty() && !first_request_) {
        set_input_limit(shared_.options.limits.head);
      }
      in_ += bytes;
  }
  return true;
}

bool Connection::input_ended() {
  if (input_ != Input::raw) {
    close();
    return false;
  }
  exchange_->in->end();
  input_ = Input::raw_ended;
  return true;
}

bool Connection::sniff() {
  char first = 0;
  const auto got = transport_.peek(first);
  if (got.io == Transport::Io::blocked) {
    read_blocked_ = true;
    return false;
  }
  if (got.io != Transport::Io::done || (first == tls_handshake && !shared_.options.tls)) {
    close();
    return false;
  }
  if (first == tls_handshake) transport_.start_tls(*shared_.options.tls);
  input_ = Input::head;
  return true;
}

void Connection::take_input(std::size_t bytes) {
  in_at_ += bytes;
  if (in_at_ < in_.size()) return;
  in_at_ = 0;
  in_.clear();
  if (in_.capacity() > 16 * 1024) std::string().swap(in_);
}

bool Connection::consume_input() {
  if (input().empty()) return false;
  if (input_ == Input::head && !exchange_) return consume_head();
  if (input_ == Input::body) return consume_body();
  return false;
}

// A line without a blank is not a request line; over TLS it may be for on_line. True: it was, or
// more must come to tell.
bool Connection::consume_line() {
  const auto text = input();
  const auto end = text.substr(0, longest_line).find("\r\n");
  const auto line = text.substr(0, std::min({end, text.size(), longest_line}));
  if (end == std::string_view::npos) {
    // A CR may be the first half of the line's end.
    const auto known = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    return text.size() < longest_line && is_visible(known);
  }
  if (line.empty() || !is_visible(line)) return false;
  if (!shared_.options.on_line) {
    close();
    return true;
  }
  std::string owned(line);
  take_input(end + 2);
  start_raw(std::move(owned));
  return true;
}

bool Connection::consume_head() {
  if (first_request_ && transport_.tls()) {
    const auto before = input_;
    if (consume_line()) return input_ != before;
  }
  const auto parsed = parser_.parse(input());
  if (parsed.state == Parse::need_more) return false;
  first_request_ = false;
  if (parsed.state == Parse::refused) {
    refuse(status_of(parsed.flaw), parsed.reason);
  } else {
    begin_request();
  }
  parser_.reset();
  return true;
}

void Connection::begin_request() {
  const auto& head = parser_.head();
  exchange_ = std::make_shared<Exchange>();
  auto& request = exchange_->request;
  request.method = head.method;
  request.target = head.target;
  const auto question = head.target.find('?');
  request.path = head.target.substr(0, question);
  if (question != std::string_view::npos) request.query = head.target.substr(question + 1);
  for (const auto& field : head.fields) {
    request.headers.add(std::string(field.name), std::string(field.value));
  }
  request.peer = peer_;
  request.tls = transport_.tls();
  request.id = new_uuid();

  exchange_->minor = head.minor;
  exchange_->to_head = head.method == "HEAD";
  exchange_->keep_alive = head.keep_alive;
  exchange_->wants_continue =
      head.expect == Expect::continue_100 && head.framing.body != Body::none;
  const auto expect = head.expect;
  const auto framing = head.framing;
  take_input(head.size);

  body_is_chunked_ = framing.body == Body::chunked;
  body_left_ = framing.length;
  chunks_.reset();
  discarded_ = 0;
  input_ = framing.body == Body::none ? Input::waiting : Input::body;
  set_input_limit(std::nullopt);

  if (expect == Expect::unknown) return refuse(417, "Only Expect: 100-continue can be met.");
  try {
    exchange_->route = shared_.options.router(request);
  } catch (const std::exception& error) {
    report("http", "request " + request.id + ": its route failed: " + error.what());
    return refuse(500, "Something broke in the platform. Its log has the details.");
  }
  auto& route = exchange_->route;
  request.params = route.params;
  if (!route.handler) return refuse(404, "There is nothing at this address.");
  if (route.stream_body) {
    exchange_->in = std::make_shared<Inflow>(waker());
    request.stream = std::make_shared<RequestBody>(exchange_->in);
    if (framing.body == Body::none) exchange_->in->end();
    return dispatch();
  }
  if (framing.body == Body::none) return dispatch();
  if (body_left_ > route.body_limit) return refuse(413, "The request's body is too large.");
  if (std::exchange(exchange_->wants_continue, false))
    out_.push_back("HTTP/1.1 100 Continue\r\n\r\n");
}

bool Connection::consume_body() {
  // Streamed: only as much as the handler takes.
  if (exchange_ && exchange_->in && !exchange_->answered && !exchange_->in->has_room())
    return false;
  return body_is_chunked_ ? consume_chunks() : consume_length();
}

bool Connection::consume_length() {
  const auto piece = input().substr(
      0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input().size())));
  if (!body_piece(piece)) return true;
  body_left_ -= piece.size();
  take_input(piece.size());
  if (body_left_ == 0) body_complete();
  return true;
}

bool Connection::consume_chunks() {
  using Part = ChunkedDecoder::Part;
  std::size_t used = 0;
  while (true) {
    const auto piece = chunks_.next(input().substr(used));
    used += piece.bytes.size();
    switch (piece.part) {
      case Part::payload:
        if (!body_piece(piece.bytes)) return true;
        break;
      case Part::refused:
        if (exchange_ && !exchange_->answered) {
          refuse(400, piece.reason);
        } else {
          begin_lingering();
        }
        return true;
      case Part::need_more:
        take_input(used);
        return used > 0;
      case Part::end:
        take_input(used);
        body_complete();
        return true;
      default:
        break;
    }
  }
}

// False when the body was refused, and the input is no longer one.
bool Connection::body_piece(std::string_view bytes) {
  if (!exchange_ || exchange_->answered) {
    discarded_ += bytes.size();
    if (discarded_ <= most_discarded) return true;
    begin_lingering();
    return false;
  }
  if (exchange_->in) {
    exchange_->in->push(bytes);
    return true;
  }
  auto& body = exchange_->request.body;
  if (bytes.size() > exchange_->route.body_limit - body.size()) {
    refuse(413, "The request's body is too large.");
    return false;
  }
  body += bytes;
  return true;
}

void Connection::body_complete() {
  input_ = Input::waiting;
  set_input_limit(std::nullopt);
  if (!exchange_) {
    next_request();  // its answer went before
  } else if (exchange_->in) {
    exchange_->in->end();
  } else if (!exchange_->answering) {
    dispatch();
  }
}

// Answers without a handler and closes: what comes next on this connection cannot be trusted, or is
// more than we want to read.
void Connection::refuse(int status, std::string_view reason) {
  if (!exchange_) {
    exchange_ = std::make_shared<Exchange>();
    exchange_->request.id = new_uuid();
    exchange_->to_head = parser_.head().method == "HEAD";
  }
  if (exchange_->in) exchange_->in->fail();
  close_after_answer_ = true;
  if (exchange_->answering) {  // too late to say anything else
    close();
    return;
  }
  const auto exchange = exchange_;
  input_ = Input::waiting;
  set_input_limit(std::nullopt);
  answer(exchange, refusal(status, reason, exchange->request.id));
}

}  // namespace renga::http

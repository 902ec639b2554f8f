// The output side of a Connection: handlers on workers, and their answers on the way out.
#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "base/report.h"
#include "base/text.h"
#include "http/answer.h"
#include "http/connection.h"

namespace renga::http {

namespace {

constexpr std::size_t joined_with_head = 16 * 1024;   // bodies up to this go out in one write
constexpr std::size_t worth_discarding = 256 * 1024;  // of a body, to keep the connection

std::function<void()> waker_of(std::shared_ptr<LoopDoor> door, std::weak_ptr<Connection> weak) {
  return [door = std::move(door), weak = std::move(weak)] {
    door->post([weak] {
      if (const auto connection = weak.lock()) connection->pump();
    });
  };
}

Response call_handler(Exchange& exchange) {
  auto& request = exchange.request;
  std::string reason;
  try {
    auto response = exchange.route.handler(request);
    const bool fits = response.status >= 200 && response.status <= 599;
    if (fits && !(exchange.route.quick && response.stream)) return response;
    reason = fits ? "its handler is a quick one, and streams"
                  : "its handler answered with status " + std::to_string(response.status);
  } catch (const ClientLeft& error) {
    return refusal(400, error.what(), request.id);  // to nobody, unless only its body was malformed
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "its handler threw something that is no std::exception";
  }
  report("http", "request " + request.id + ", " + text::printable(request.method) + " " +
                     text::printable(request.path) + ", failed: " + reason);
  return refusal(
      500,
      "Something broke in the platform. Its log has the details under request " + request.id + ".",
      request.id);
}

void stream_answer(Exchange& exchange, const std::shared_ptr<Outflow>& out,
                   const std::function<void(std::shared_ptr<ResponseStream>)>& callback) {
  // Held here too: were the callback's reference the last one when it throws, the answer would look
  // finished.
  const auto stream = std::make_shared<AnswerStream>(out);
  try {
    callback(stream);
  } catch (const ClientLeft&) {
    out->break_off();
  } catch (const std::exception& error) {
    report("http",
           "request " + exchange.request.id + ", its streamed answer failed: " + error.what());
    out->break_off();
  } catch (...) {
    report("http", "request " + exchange.request.id + ", its streamed answer failed.");
    out->break_off();
  }
}

// On a worker's thread.
void serve(const std::shared_ptr<Exchange>& exchange, const std::shared_ptr<LoopDoor>& door,
           const std::weak_ptr<Connection>& weak) {
  auto response = call_handler(*exchange);
  if (!response.stream) {
    door->post([weak, exchange, response = std::move(response)]() mutable {
      if (const auto connection = weak.lock()) connection->answer(exchange, std::move(response));
    });
    return;
  }
  const auto callback = std::exchange(response.stream, nullptr);
  const auto out = std::make_shared<Outflow>(door, waker_of(door, weak));
  const bool posted = door->post([weak, exchange, out, head = std::move(response)] {
    if (const auto connection = weak.lock()) {
      connection->start_stream(exchange, out, head);
    } else {
      out->client_left();
    }
  });
  if (!posted) out->client_left();
  // A HEAD request's answer has no body to write.
  if (!exchange->to_head) stream_answer(*exchange, out, callback);
}

std::string chunk_of(std::deque<std::string>& pieces, std::size_t bytes) {
  char size[16];
  const auto end = std::to_chars(size, size + sizeof size, bytes, 16).ptr;
  std::string chunk(size, end);
  chunk.reserve(chunk.size() + bytes + 4);
  chunk += "\r\n";
  for (const auto& piece : pieces) chunk += piece;
  chunk += "\r\n";
  return chunk;
}

}  // namespace

std::function<void()> Connection::waker() { return waker_of(shared_.door, weak_from_this()); }

void Connection::dispatch() {
  if (exchange_->route.quick) {
    const auto exchange = exchange_;
    return answer(exchange, call_handler(*exchange));
  }
  const bool taken = shared_.pool.run([exchange = exchange_, door = shared_.door,
                                       weak = weak_from_this()] { serve(exchange, door, weak); });
  if (!taken) refuse(503, "The server has too much to do. Try again in a moment.");
}

void Connection::start_raw(std::string line) {
  exchange_ = std::make_shared<Exchange>();
  exchange_->in = std::make_shared<Inflow>(waker());
  exchange_->out = std::make_shared<Outflow>(shared_.door, waker());
  exchange_->answering = true;
  input_ = Input::raw;
  set_input_limit(std::nullopt);
  auto leftover = std::exchange(in_, {}).substr(std::exchange(in_at_, 0));
  if (!leftover.empty()) exchange_->in->push(leftover);

  auto stream = std::make_shared<RawStream>(exchange_->in, exchange_->out);
  const bool taken = shared_.pool.run(
      [handler = shared_.options.on_line, line = std::move(line), stream]() mutable {
        try {
          handler(line, std::move(stream));
        } catch (const ClientLeft&) {
          // As sessions end that nobody closes; the stream ends with its last reference.
        } catch (const std::exception& error) {
          report("http", std::string("a raw connection's handler failed: ") + error.what());
        }
      });
  if (!taken) close();
}

// A rest of a body that nobody wants, and that is small enough to be read for the connection's
// sake.
bool Connection::can_discard_body() const {
  return !body_is_chunked_ && body_left_ <= worth_discarding;
}

bool Connection::keeps(const Response& response) const {
  if (!exchange_->keep_alive || close_after_answer_ || shared_.draining) return false;
  if (text::equals_ignoring_case(response.headers.value_or("Connection", ""), "close")) {
    return false;
  }
  return true;
}

void Connection::answer(const std::shared_ptr<Exchange>& exchange, Response response) {
  if (input_ == Input::closed || exchange != exchange_ || exchange->answering) return;
  // Refused a body that it was asked to wait for: what comes next is anybody's guess.
  const bool unread = input_ == Input::body && (exchange->wants_continue || !can_discard_body());
  exchange->answering = exchange->answered = true;
  exchange->wants_continue = false;

  AnswerShape shape;
  shape.minor = exchange->minor;
  shape.to_head = exchange->to_head;
  shape.keep_alive = keeps(response) && !unread;
  std::string head;
  const auto write_head = [&] {
    const bool empty = response.status == 204 || response.status == 304;
    shape.body = empty ? AnswerBody::none : AnswerBody::length;
    shape.length = response.body.size();
    head = answer_head(response, shape);
    if (empty || exchange->to_head) response.body.clear();
  };
  try {
    write_head();
  } catch (const std::logic_error& error) {
    report("http", "request " + exchange->request.id + " failed: " + error.what());
    response = refusal(500,
                       "Something broke in the platform. Its log has the details under request " +
                           exchange->request.id + ".",
                       exchange->request.id);
    write_head();
  }
  if (!shape.keep_alive) close_after_answer_ = true;
  if (response.body.size() <= joined_with_head) {
    out_.push_back(head + response.body);
  } else {
    out_.push_back(std::move(head));
    out_.push_back(std::move(response.body));
  }
  pump();
}

void Connection::start_stream(const std::shared_ptr<Exchange>& exchange,
                              std::shared_ptr<Outflow> out, const Response& head) {
  if (input_ == Input::closed || exchange != exchange_ || exchange->answering) {
    out->client_left();
    return;
  }
  AnswerShape shape;
  shape.minor = exchange->minor;
  shape.to_head = exchange->to_head;
  shape.keep_alive = keeps(head) && exchange->minor > 0;
  shape.body = exchange->minor > 0 ? AnswerBody::chunked : AnswerBody::until_close;
  if (head.status == 204 || head.status == 304) shape.body = AnswerBody::none;
  std::string text;
  try {
    text = answer_head(head, shape);
  } catch (const std::logic_error& error) {
    report("http", "request " + exchange->request.id + " failed: " + error.what());
    out->client_left();
    answer(exchange, refusal(500, "Something broke in the platform. Its log has the details.",
                             exchange->request.id));
    return;
  }
  exchange->answering = true;
  exchange->chunked = shape.body == AnswerBody::chunked;
  if (!shape.keep_alive) close_after_answer_ = true;
  // A handler that streams its answer while it reads the body would wait for a body that waits for
  // this: the client must be told before the answer's head.
  if (std::exchange(exchange->wants_continue, false) && head.status < 300) {
    out_.push_back("HTTP/1.1 100 Continue\r\n\r\n");
  }
  out_.push_back(std::move(text));
  if (exchange->to_head || shape.body == AnswerBody::none) {
    exchange->answered = true;
    out->client_left();
  } else {
    exchange->out = std::move(out);
  }
  pump();
}

bool Connection::fill_output() {
  if (!exchange_ || input_ == Input::closed) return false;
  if (exchange_->wants_continue && !exchange_->answering && exchange_->in &&
      exchange_->in->was_asked_for()) {
    exchange_->wants_continue = false;
    // Bytes that came unasked show that the client does not wait.
    if (input().empty()) out_.push_back("HTTP/1.1 100 Continue\r\n\r\n");
    return true;
  }
  if (!exchange_->out || exchange_->answered || !out_.empty()) return false;

  auto taken = exchange_->out->take();
  out_payload_ += taken.bytes;
  if (exchange_->chunked && taken.bytes > 0) {
    out_.push_back(chunk_of(taken.pieces, taken.bytes));
  } else if (taken.bytes > 0) {
    // One by one: over TLS each is a record of its own.
    for (auto& piece : taken.pieces) {
      if (!piece.empty()) out_.push_back(std::move(piece));
    }
  }
  switch (taken.state) {
    case Outflow::State::open:
      return taken.bytes > 0;
    case Outflow::State::broken:
      close();
      return false;
    case Outflow::State::finished:
      break;
  }
  exchange_->answered = true;
  if (exchange_->chunked) {
    out_.push_back("0\r\n\r\n");
  } else {
    close_after_answer_ = true;
    if (out_.empty()) end_of_answer();
  }
  return true;
}

bool Connection::flush() {
  if (out_.empty() || write_blocked_ || input_ == Input::closed) return false;
  bool progress = false;
  while (!out_.empty()) {
    const auto sent = transport_.write(std::string_view(out_.front()).substr(out_at_));
    if (sent.io == Transport::Io::blocked) {
      write_blocked_ = true;
      if (progress || !output_deadline_) {
        output_deadline_ = shared_.loop.now() + shared_.options.limits.send;
      }
      return progress;
    }
    if (sent.io != Transport::Io::done) {
      close();
      return false;
    }
    progress = true;
    out_at_ += sent.bytes;
    if (out_at_ == out_.front().size()) {
      out_.pop_front();
      out_at_ = 0;
    }
  }
  output_deadline_.reset();
  if (exchange_ && exchange_->out && out_payload_ > 0) exchange_->out->sent(out_payload_);
  out_payload_ = 0;
  if (exchange_ && exchange_->answered) end_of_answer();
  return true;
}

void Connection::end_of_answer() {
  const bool raw = input_ == Input::raw || input_ == Input::raw_ended;
  if (exchange_->in) exchange_->in->fail();
  if (raw || close_after_answer_ || shared_.draining) return begin_lingering();
  if (input_ != Input::body) return next_request();
  if (!can_discard_body()) return begin_lingering();
  exchange_.reset();  // and the rest of its body is read and dropped
  set_input_limit(shared_.options.limits.body);
}

void Connection::next_request() {
  exchange_.reset();
  input_ = Input::head;
  parser_.reset();
  set_input_limit(input().empty() ? shared_.options.limits.idle : shared_.options.limits.head);
}

// Closing while the client still sends makes the kernel reset the connection, and the reset
// destroys the answer on its way. So we say that we are done and read on for a moment.
void Connection::begin_lingering() {
  if (exchange_ && exchange_->in) exchange_->in->fail();
  exchange_.reset();
  input_ = Input::lingering;
  in_.clear();
  in_at_ = 0;
  discarded_ = 0;
  transport_.end_writing();
  set_input_limit(shared_.options.limits.linger);
}

}  // namespace renga::http

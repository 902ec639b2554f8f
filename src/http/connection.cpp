#include "http/connection.h"

#include <sys/epoll.h>

#include <algorithm>

#include "base/report.h"

namespace renga::http {

Connection::Connection(Shared& shared, os::Fd fd, std::string peer)
    : shared_(shared), transport_(std::move(fd)), peer_(std::move(peer)) {}

Connection::~Connection() = default;

void Connection::start() {
  set_input_limit(shared_.options.limits.head);
  shared_.loop.add(transport_.fd(), *this);
  arm();
}

void Connection::on_events(std::uint32_t events) {
  read_blocked_ = write_blocked_ = false;
  if ((events & EPOLLRDHUP) != 0) peer_done_ = true;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    // Reset, or closed on both sides: nothing can be said any more.
    close();
    return;
  }
  pump();
}

void Connection::pump() {
  if (pumping_ || input_ == Input::closed) return;
  const auto self = shared_from_this();
  pumping_ = true;
  try {
    // Bounded, so that one fast client does not keep the loop from the others.
    int turns = 64;
    bool progress = true;
    while (progress && input_ != Input::closed && turns-- > 0) {
      progress = consume_input();
      progress = fill_output() || progress;
      progress = flush() || progress;
      progress = (input_ != Input::closed && fill_input()) || progress;
    }
    if (progress && input_ != Input::closed) {
      shared_.loop.post([weak = weak_from_this()] {
        if (const auto connection = weak.lock()) connection->pump();
      });
    }
  } catch (const std::exception& error) {
    report("http", "connection of " + peer_ + " failed: " + error.what());
    close();
  }
  pumping_ = false;
  if (input_ != Input::closed) arm();
}

void Connection::drain() {
  close_after_answer_ = true;
  const bool idle = !exchange_ && out_.empty() && input().empty() &&
                    (input_ == Input::first_byte || input_ == Input::head);
  if (idle) close();
}

void Connection::close() {
  if (input_ == Input::closed) return;
  const auto self = shared_from_this();
  input_ = Input::closed;
  shared_.loop.remove(transport_.fd(), *this);
  if (timer_ != 0) shared_.loop.cancel(timer_);
  timer_ = 0;
  transport_.close();
  const auto exchange = std::move(exchange_);
  if (exchange && exchange->in) exchange->in->fail();
  if (exchange && exchange->out) exchange->out->client_left();
  shared_.connections.erase(this);
  shared_.changed();
}

void Connection::set_input_limit(std::optional<Milliseconds> limit) {
  if (limit) {
    input_deadline_ = shared_.loop.now() + *limit;
  } else {
    input_deadline_.reset();
  }
}

// One timer for both deadlines. They are moved far more often than they pass, so a timer that comes
// too early looks again, and only one that would come too late is replaced.
void Connection::arm() {
  auto next = input_deadline_;
  if (output_deadline_ && (!next || *output_deadline_ < *next)) next = output_deadline_;
  if (!next || (timer_ != 0 && timer_at_ <= *next)) return;
  if (timer_ != 0) shared_.loop.cancel(timer_);
  timer_at_ = *next;
  const auto delay = std::chrono::ceil<Milliseconds>(*next - shared_.loop.now());
  timer_ = shared_.loop.after(std::max(delay, Milliseconds(0)), [this] {
    timer_ = 0;
    on_timer();
  });
}

void Connection::on_timer() {
  const auto self = shared_from_this();
  const auto now = shared_.loop.now();
  if (output_deadline_ && *output_deadline_ <= now) {
    close();
    return;
  }
  if (input_deadline_ && *input_deadline_ <= now) {
    input_deadline_.reset();
    const bool in_head = input_ == Input::head && !exchange_ && !input().empty();
    const bool in_body = input_ == Input::body && exchange_ && !exchange_->answering;
    if (!in_head && !in_body) {
      close();
      return;
    }
    refuse(408, "The request did not arrive in time.");
    pump();
    return;
  }
  arm();
}

}  // namespace renga::http

// TimeOuts: all waits of one length, as a list in the order in which they end. A router has few
// lengths and restarts its waits at every byte, so a list per length does in O(1), by relinking,
// what a heap does in O(log n). One loop timer is armed per list, for its front as it was: a wait
// that was moved meanwhile makes the timer fire in vain and be armed again.
#pragma once

#include <chrono>
#include <functional>

#include "net/event_loop.h"

namespace renga::router {

// A member of a list, part of what waits. It leaves its list when it is destroyed.
class Waiting {
 public:
  explicit Waiting(std::function<void()> time_out) : time_out_(std::move(time_out)) {}
  ~Waiting() { cancel(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  void cancel() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }
  bool waits() const { return next_ != nullptr; }

 private:
  friend class TimeOuts;
  Waiting() = default;

  std::function<void()> time_out_;  // what happens at the end
  Waiting* next_ = nullptr;
  Waiting* previous_ = nullptr;
  std::chrono::steady_clock::time_point end_;
};

// Belongs to its loop's thread and must outlive what waits in it.
class TimeOuts {
 public:
  TimeOuts(net::EventLoop& loop, std::chrono::milliseconds length) : loop_(loop), length_(length) {
    ends_.next_ = ends_.previous_ = &ends_;
  }
  ~TimeOuts() {
    loop_.cancel(timer_);
    while (ends_.next_ != &ends_) ends_.next_->cancel();
    ends_.next_ = ends_.previous_ = nullptr;
  }
  TimeOuts(const TimeOuts&) = delete;
  TimeOuts& operator=(const TimeOuts&) = delete;

  // From now on; leaves whatever list it was in.
  void start(Waiting& waiting) {
    waiting.cancel();
    waiting.end_ = loop_.now() + length_;
    waiting.next_ = &ends_;
    waiting.previous_ = ends_.previous_;
    ends_.previous_->next_ = &waiting;
    ends_.previous_ = &waiting;
    if (timer_ == 0) arm();
  }

  // Ends the wait that has lasted longest, if it has lasted so long already.
  bool end_first(std::chrono::milliseconds at_least) {
    if (ends_.next_ == &ends_) return false;
    auto& first = *ends_.next_;
    if (first.end_ - length_ + at_least > loop_.now()) return false;
    first.cancel();
    first.time_out_();
    return true;
  }

 private:
  void arm() {
    if (ends_.next_ == &ends_) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(ends_.next_->end_ - loop_.now());
    timer_ = loop_.after(left, [this] {
      timer_ = 0;
      while (ends_.next_ != &ends_ && ends_.next_->end_ <= loop_.now()) {
        auto& over = *ends_.next_;
        over.cancel();
        over.time_out_();
      }
      // The last of them may have started one and so armed the timer.
      if (timer_ == 0) arm();
    });
  }

  net::EventLoop& loop_;
  const std::chrono::milliseconds length_;
  Waiting ends_;  // of the list: its next is the front, its previous the back
  net::TimerId timer_ = 0;
};

}  // namespace renga::router

#include "http/flow.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/report.h"

namespace renga::http {

namespace {

constexpr std::size_t write_mark = 256 * 1024;       // write() waits above
constexpr std::size_t try_write_mark = 1024 * 1024;  // try_write() refuses above
constexpr std::size_t largest_piece = 64 * 1024;
constexpr std::size_t batch = 128 * 1024;

}  // namespace

bool LoopDoor::post(std::function<void()> work) {
  auto loop = loop_.lock();
  if (*loop == nullptr) return false;
  (*loop)->post(std::move(work));
  return true;
}

bool LoopDoor::on_this_thread() {
  auto loop = loop_.lock();
  return *loop != nullptr && (*loop)->on_this_thread();
}

void LoopDoor::shut() { *loop_.lock() = nullptr; }

std::string Inflow::read() {
  std::unique_lock lock(mutex_);
  if (!asked_for_) {
    asked_for_ = true;
    lock.unlock();
    wake_();
    lock.lock();
  }
  // Bounded by the connection, which fails the body when its client is too slow.
  changed_.wait(lock, [this] { return !bytes_.empty() || ended_ || failed_; });
  if (bytes_.empty()) {
    if (failed_) throw ClientLeft("The client left before the end of the request's body.");
    return {};
  }
  const bool was_full = bytes_.size() >= full;
  auto bytes = std::exchange(bytes_, {});
  lock.unlock();
  if (was_full) wake_();
  return bytes;
}

void Inflow::push(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  changed_.notify_all();
}

void Inflow::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void Inflow::fail() {
  const std::lock_guard lock(mutex_);
  if (!ended_) failed_ = true;
  changed_.notify_all();
}

bool Inflow::has_room() {
  const std::lock_guard lock(mutex_);
  return bytes_.size() < full;
}

bool Inflow::was_asked_for() {
  const std::lock_guard lock(mutex_);
  return asked_for_;
}

bool Outflow::append(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  if (left_ || state_ != State::open) return false;
  pieces_.emplace_back(bytes);
  unsent_ += bytes.size();
  const bool wake = !std::exchange(woken_, true);
  lock.unlock();
  if (wake) wake_();
  return true;
}

bool Outflow::write(std::string_view bytes) {
  if (door_->on_this_thread()) {
    throw std::logic_error("write() would wait for the loop on the loop's own thread.");
  }
  while (!bytes.empty()) {
    {
      // Bounded by the connection, which gives up a client that takes nothing for too long.
      std::unique_lock lock(mutex_);
      changed_.wait(lock,
                    [this] { return unsent_ <= write_mark || left_ || state_ != State::open; });
    }
    const auto piece = bytes.substr(0, largest_piece);
    if (!append(piece)) return false;
    bytes.remove_prefix(piece.size());
  }
  return open();
}

bool Outflow::try_write(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (left_ || state_ != State::open || unsent_ > try_write_mark) return false;
  }
  return bytes.empty() || append(bytes);
}

bool Outflow::open() {
  const std::lock_guard lock(mutex_);
  return !left_ && state_ == State::open;
}

void Outflow::on_closed(std::function<void()> callback) {
  std::function<void()> replaced;
  {
    const std::lock_guard lock(mutex_);
    if (!left_) {
      if (state_ == State::open) {
        replaced = std::exchange(callback_, std::move(callback));
      }
      return;
    }
  }
  // Too late to be told as it happens: told now, as if it happened now.
  if (callback && !door_->post(callback)) callback();
}

void Outflow::finish() {
  std::function<void()> unused;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::open) return;
    state_ = State::finished;
    unused = std::exchange(callback_, nullptr);
    changed_.notify_all();
  }
  wake_();
}

void Outflow::break_off() {
  std::function<void()> unused;
  {
    const std::lock_guard lock(mutex_);
    state_ = State::broken;
    unused = std::exchange(callback_, nullptr);
    changed_.notify_all();
  }
  wake_();
}

Outflow::Taken Outflow::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  Taken taken;
  while (!pieces_.empty() && taken.bytes < batch) {
    taken.bytes += pieces_.front().size();
    taken.pieces.push_back(std::move(pieces_.front()));
    pieces_.pop_front();
  }
  if (pieces_.empty()) taken.state = state_;
  return taken;
}

void Outflow::sent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  unsent_ -= std::min(bytes, unsent_);
  changed_.notify_all();
}

void Outflow::client_left() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(left_, true)) return;
    if (state_ == State::open) callback = std::exchange(callback_, nullptr);
    pieces_.clear();
    unsent_ = 0;
    changed_.notify_all();
  }
  if (!callback) return;
  try {
    callback();
  } catch (const std::exception& error) {
    report("http", std::string("a callback for a client that left failed: ") + error.what());
  }
}

}  // namespace renga::http

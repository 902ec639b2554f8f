// A ResponseStream that keeps what it is told, lets a test wait for it, fill up, and leave.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "http/message.h"

namespace renga::logs {

class FakeResponseStream final : public http::ResponseStream {
 public:
  bool write(std::string_view bytes) override {
    std::unique_lock lock(mutex_);
    if (!open_) return false;
    written_ += bytes;
    changed_.notify_all();
    return true;
  }
  bool try_write(std::string_view bytes) override {
    std::unique_lock lock(mutex_);
    if (!open_ || full_) return false;
    written_ += bytes;
    changed_.notify_all();
    return true;
  }
  bool open() const override {
    std::unique_lock lock(mutex_);
    return open_;
  }
  void on_closed(std::function<void()> callback) override {
    std::unique_lock lock(mutex_);
    closed_ = std::move(callback);
  }
  void finish() override {
    std::unique_lock lock(mutex_);
    finished_ = true;
    open_ = false;
    changed_.notify_all();
  }

  // The client's side.
  void leave() {
    std::function<void()> callback;
    {
      std::unique_lock lock(mutex_);
      open_ = false;
      callback = std::move(closed_);
    }
    if (callback) callback();
  }
  void fill(bool full) {
    std::unique_lock lock(mutex_);
    full_ = full;
  }
  std::string written() const {
    std::unique_lock lock(mutex_);
    return written_;
  }
  // False after ten seconds without.
  bool wait_for(std::string_view text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return written_.find(text) != std::string::npos; });
  }
  bool wait_for_end() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return finished_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string written_;
  std::function<void()> closed_;
  bool open_ = true;
  bool full_ = false;
  bool finished_ = false;
};

}  // namespace renga::logs

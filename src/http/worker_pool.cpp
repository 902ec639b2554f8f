#include "http/worker_pool.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "base/report.h"

namespace renga::http {

namespace {
constexpr std::chrono::seconds patience{10};  // of an idle thread
}

WorkerPool::~WorkerPool() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return threads_.empty(); });
  for (auto& thread : ended_) thread.join();
}

bool WorkerPool::run(std::function<void()> work) {
  std::list<std::thread> ended;
  bool awaited = false;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(ended_);
    if (ending_) return false;
    if (idle_ > handed_.size()) {
      handed_.push_back(std::move(work));
      awaited = true;
    } else if (threads_.size() < most_) {
      handed_.push_front(std::move(work));
      const auto self = threads_.emplace(threads_.end());
      ++idle_;  // until it takes its work
      try {
        *self = std::thread([this, self] { serve(self); });
      } catch (const std::system_error& error) {
        report("http", std::string("cannot start a worker thread: ") + error.what());
        threads_.erase(self);
        handed_.pop_front();
        --idle_;
        return false;
      }
    } else {
      return false;
    }
  }
  // Behind the lock, which whoever wakes up wants at once.
  if (awaited) changed_.notify_one();
  for (auto& thread : ended) thread.join();  // they have nothing left to do
  return true;
}

std::size_t WorkerPool::threads() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

void WorkerPool::serve(std::list<std::thread>::iterator self) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto called =
        changed_.wait_for(lock, patience, [this] { return ending_ || !handed_.empty(); });
    if (!called || handed_.empty()) break;
    auto work = std::move(handed_.front());
    handed_.pop_front();
    --idle_;
    lock.unlock();
    work();
    work = nullptr;  // what it owns dies here, not under the lock
    lock.lock();
    ++idle_;
  }
  --idle_;
  ended_.splice(ended_.end(), threads_, self);
  changed_.notify_all();
}

}  // namespace renga::http

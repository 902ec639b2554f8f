// WorkerPool: threads for blocking work, started when there is work for them and ended when there
// has been none for a while, so that an idle control process keeps almost none. Private to http/.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace renga::http {

// Safe from any thread.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t most) : most_(most) {}
  // Waits for the work that runs.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `work` at once on a thread of its own, or returns false when all are busy: nothing queues.
  // `work` must not throw.
  bool run(std::function<void()> work);
  std::size_t threads() const;

 private:
  void serve(std::list<std::thread>::iterator self);

  const std::size_t most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> handed_;  // to idle threads; never more than there are
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::list<std::thread> threads_;
  std::list<std::thread> ended_;  // to be joined by whoever comes by
};

}  // namespace renga::http

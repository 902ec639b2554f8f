// Locked<T>: a value and its mutex as one thing, so that the value cannot be touched without the
// lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace renga {

template <class T>
class Locked {
 public:
  Locked() = default;
  explicit Locked(T value) : value_(std::move(value)) {}
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

  // Holds the lock for as long as it lives; keep it short, and never wait for anything else
  // meanwhile.
  class Guard {
   public:
    T* operator->() { return &value_; }
    T& operator*() { return value_; }
    // Gives the lock up while waiting, as std::condition_variable does.
    template <class Predicate>
    void wait(std::condition_variable& condition, Predicate ready) {
      condition.wait(lock_, std::move(ready));
    }
    template <class Rep, class Period, class Predicate>
    bool wait_for(std::condition_variable& condition, std::chrono::duration<Rep, Period> limit,
                  Predicate ready) {
      return condition.wait_for(lock_, limit, std::move(ready));
    }

   private:
    friend class Locked;
    Guard(std::mutex& mutex, T& value) : lock_(mutex), value_(value) {}
    std::unique_lock<std::mutex> lock_;
    T& value_;
  };

  Guard lock() { return Guard(mutex_, value_); }

 private:
  std::mutex mutex_;
  T value_{};
};

}  // namespace renga

// EventLoop: one thread's epoll loop: edge-triggered descriptors, timers and posted work.
// Everything but post() and stop() belongs to the thread that runs the loop (or to the one that
// sets it up before run()).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace renga::net {

// What a watched descriptor's owner implements. The owner removes its descriptor before it dies;
// an event already fetched for a removed one is dropped.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // `events` are epoll's bits (EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR). Edge-triggered:
  // read or write until the kernel has no more, or remember that there was more.
  virtual void on_events(std::uint32_t events) = 0;
};

// Who is served first of those that have events at the same time. What goes on with work under way
// goes before what begins more, which is handed out a few at a time: so less is under way at once,
// and what is stays in the processor's cache.
enum class Priority { first, usual };

using TimerId = std::uint64_t;  // never 0, never reused

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until stop(). Exceptions of callbacks pass through; a later run() goes on behind the
  // callback that threw.
  void run();
  void stop();  // from any thread; also before run()

  // From any thread: runs `work` on the loop's thread, in the order of the calls.
  void post(std::function<void()> work);
  bool on_this_thread() const;  // true only while run() runs here

  // Watches for all of EPOLLIN | EPOLLOUT | EPOLLRDHUP, edge-triggered, until remove(), which comes
  // before the descriptor is closed. Throws std::system_error when the kernel refuses.
  void add(int fd, Watcher& watcher, Priority priority = Priority::usual);
  void remove(int fd, Watcher& watcher);

  // Counted from now(). O(log n), as is cancel().
  TimerId after(std::chrono::milliseconds delay, std::function<void()> work);
  void cancel(TimerId id);  // no-op when it already ran

  // Runs after every few events of one priority, before others have their turn: to send what they
  // have left. At most one.
  void on_pause(std::function<void()> work);
  // Runs after every batch of events: to flush logs and counters. At most one.
  void on_idle(std::function<void()> work);

  // The loop's idea of now, taken once a turn.
  std::chrono::steady_clock::time_point now() const;
  // Tests' way to wait without waiting: from the next turn on so much more time has passed.
  void skip(std::chrono::milliseconds time);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::net

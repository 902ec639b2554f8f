// One turn of the loop: fetch events (waiting no longer than until the next timer), hand those of
// the first priority to their watchers and then some of the others, run what other threads posted,
// run the timers that are due, and let on_idle() flush. Events that have not had their turn wait in
// a line, and the next turn looks for more without waiting.
//
// A watcher may remove itself or any other while a batch of events is handed out, and a closed
// descriptor's number may be used again at once. So each event carries the number of times its
// slot was filled, and is dropped when the slot has moved on.
#include "net/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "base/locked.h"
#include "net/timer_heap.h"
#include "os/fd.h"

namespace renga::net {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t wake_up = ~std::uint64_t{0};  // the event data of the eventfd
constexpr std::size_t most_fetched = 256;
// Of one priority: before on_pause(), and of the usual one before those of the first are looked for
// again.
constexpr int few = 32;

struct Slot {
  Watcher* watcher = nullptr;
  std::uint32_t fills = 0;
  Priority priority = Priority::usual;
};

// Events in the order in which they came.
template <std::size_t most>
class EventLine {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t room() const { return most - count_; }
  void push(const epoll_event& event) { events_[(first_ + count_++) % most] = event; }
  epoll_event pop() {
    const auto event = front();
    first_ = (first_ + 1) % most;
    --count_;
    return event;
  }
  const epoll_event& front() const { return events_[first_]; }

 private:
  std::array<epoll_event, most> events_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

struct EventLoop::State {
  os::Fd epoll{::epoll_create1(EPOLL_CLOEXEC)};
  os::Fd wake{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};

  // Kept here, not on run()'s stack: when a callback throws, the next run() goes on where it was.
  EventLine<most_fetched> first;
  EventLine<4096> usual;
  std::deque<std::function<void()>> running;

  std::vector<Slot> slots;  // by descriptor
  TimerHeap timers;
  std::function<void()> pause, idle;
  SteadyClock::time_point now = SteadyClock::now();
  SteadyClock::duration skipped{0};
  bool in_run = false;

  Locked<std::vector<std::function<void()>>> posted;
  std::atomic<bool> has_posted = false;
  std::atomic<bool> stopping = false;
  std::atomic<std::thread::id> thread;

  SteadyClock::time_point clock() const { return SteadyClock::now() + skipped; }

  void rouse() const {
    const std::uint64_t one = 1;
    // Only a counter about to overflow makes this fail, and then the loop is awake anyway.
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
  }

  int patience() {
    if (stopping || has_posted || !running.empty()) return 0;
    const auto next = timers.next();
    if (!next) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - clock()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
  }

  void fetch() {
    std::array<epoll_event, most_fetched> events;
    // Those that find no room stay in the kernel's list, where each descriptor has one place.
    const auto room = std::min(events.size(), usual.room());
    const auto count = room == 0 ? 0
                                 : ::epoll_wait(epoll.get(), events.data(), static_cast<int>(room),
                                                usual.empty() ? patience() : 0);
    if (count < 0 && errno != EINTR) fault("epoll_wait");
    now = clock();
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == wake_up) {
        std::uint64_t ignored = 0;
        [[maybe_unused]] const auto got = ::read(wake.get(), &ignored, sizeof ignored);
      } else if (slot_of(event).priority == Priority::first) {
        first.push(event);
      } else {
        usual.push(event);
      }
    }
  }

  const Slot& slot_of(const epoll_event& event) const {
    return slots[static_cast<std::size_t>(event.data.u64 & 0xffffffffU)];
  }

  void hand_out_events() {
    while (!first.empty()) hand_out_few(first);
    if (!usual.empty()) hand_out_few(usual);
  }

  template <class Line>
  void hand_out_few(Line& line) {
    for (int left = few; left > 0 && !line.empty(); --left) hand_out_one(line);
    if (pause) pause();
  }

  template <class Line>
  void hand_out_one(Line& line) {
    const auto event = line.pop();
    // With many connections each one's memory has left the cache by the time that it is at work
    // again; the next one's is fetched while this one works.
    if (!line.empty()) __builtin_prefetch(slot_of(line.front()).watcher);
    const auto& slot = slot_of(event);
    if (slot.watcher != nullptr && slot.fills == event.data.u64 >> 32) {
      slot.watcher->on_events(event.events);
    }
  }

  void run_posted() {
    if (has_posted) {
      std::vector<std::function<void()>> fresh;
      {
        auto queue = posted.lock();
        fresh.swap(*queue);
        has_posted = false;
      }
      std::move(fresh.begin(), fresh.end(), std::back_inserter(running));
    }
    while (!running.empty()) {
      const auto work = std::move(running.front());
      running.pop_front();
      work();
    }
  }

  void run_timers() {
    // A timer set by a timer waits for the next turn, so that descriptors get theirs in between.
    for (auto left = timers.size(); left > 0; --left) {
      const auto work = timers.take_due(now);
      if (!work) return;
      work();
    }
  }
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {
  if (!state_->epoll) fault("epoll_create1");
  if (!state_->wake) fault("eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_up;
  if (::epoll_ctl(state_->epoll.get(), EPOLL_CTL_ADD, state_->wake.get(), &event) != 0) {
    fault("epoll_ctl for the loop's eventfd");
  }
}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
  auto& state = *state_;
  // Reset even when a callback throws.
  struct Running {
    State& state;
    explicit Running(State& s) : state(s) {
      state.thread = std::this_thread::get_id();
      state.in_run = true;
      state.now = state.clock();
    }
    ~Running() {
      state.in_run = false;
      state.thread = std::thread::id();
    }
  } running(state);

  while (!state.stopping) {
    if (state.first.empty()) state.fetch();
    state.hand_out_events();
    state.run_posted();
    state.run_timers();
    if (state.idle) state.idle();
  }
  state.stopping = false;
}

void EventLoop::stop() {
  state_->stopping = true;
  state_->rouse();
}

void EventLoop::post(std::function<void()> work) {
  bool first = false;
  {
    auto queue = state_->posted.lock();
    first = queue->empty();
    queue->push_back(std::move(work));
    state_->has_posted = true;
  }
  // The loop's own thread looks at the queue before it waits.
  if (first && !on_this_thread()) state_->rouse();
}

bool EventLoop::on_this_thread() const { return state_->thread == std::this_thread::get_id(); }

void EventLoop::add(int fd, Watcher& watcher, Priority priority) {
  const auto index = static_cast<std::size_t>(fd);
  auto& slots = state_->slots;
  if (index >= slots.size()) slots.resize(std::max(index + 1, 2 * slots.size()));
  auto& slot = slots[index];

  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = (std::uint64_t{++slot.fills} << 32) | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(state_->epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    fault("watch descriptor " + std::to_string(fd));
  }
  slot.watcher = &watcher;
  slot.priority = priority;
}

void EventLoop::remove(int fd, Watcher& watcher) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= state_->slots.size() || state_->slots[index].watcher != &watcher) return;
  state_->slots[index].watcher = nullptr;
  // Fails only for a descriptor that was closed already, and then the kernel has removed it.
  ::epoll_ctl(state_->epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
}

TimerId EventLoop::after(std::chrono::milliseconds delay, std::function<void()> work) {
  const auto from = state_->in_run ? state_->now : state_->clock();
  return state_->timers.add(from + delay, std::move(work));
}

void EventLoop::cancel(TimerId id) {
  if (id != 0) state_->timers.cancel(id);
}

void EventLoop::on_pause(std::function<void()> work) { state_->pause = std::move(work); }

void EventLoop::on_idle(std::function<void()> work) { state_->idle = std::move(work); }

SteadyClock::time_point EventLoop::now() const { return state_->now; }

void EventLoop::skip(std::chrono::milliseconds time) { state_->skipped += time; }

}  // namespace renga::net

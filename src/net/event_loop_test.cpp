#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/timer_heap.h"
#include "os/fd.h"

namespace renga::net {
namespace {

using std::chrono::milliseconds;

struct Recorder : Watcher {
  std::function<void(std::uint32_t)> react;
  int calls = 0;
  void on_events(std::uint32_t events) override {
    ++calls;
    if (react) react(events);
  }
};

std::pair<os::Fd, os::Fd> pair_of_sockets() {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {os::Fd(fds[0]), os::Fd(fds[1])};
}

TEST(EventLoop, RunsPostedWorkInOrderOnItsThread) {
  EventLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.post([&, i] {
        EXPECT_TRUE(loop.on_this_thread());
        order.push_back(i);
      });
    }
    loop.post([&] { loop.stop(); });
  });
  EXPECT_FALSE(loop.on_this_thread());
  loop.run();
  other.join();
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(EventLoop, StopsWhenToldBeforeItRuns) {
  EventLoop loop;
  loop.stop();
  loop.run();
  loop.post([&] { loop.stop(); });
  loop.run();
}

TEST(EventLoop, RunsTimersByTimeAndOnlyThoseNotCancelled) {
  EventLoop loop;
  std::string order;
  loop.after(milliseconds(20), [&] {
    order += 'c';
    loop.stop();
  });
  loop.after(milliseconds(1), [&] { order += 'a'; });
  const auto cancelled = loop.after(milliseconds(2), [&] { order += 'x'; });
  loop.after(milliseconds(1), [&] {
    order += 'b';
    loop.cancel(cancelled);
    loop.cancel(cancelled);
  });
  loop.run();
  EXPECT_EQ(order, "abc");
}

TEST(EventLoop, TellsOfEventsUntilRemoved) {
  EventLoop loop;
  auto [left, right] = pair_of_sockets();
  Recorder watcher;
  std::string got;
  watcher.react = [&](std::uint32_t events) {
    char text[8];
    const auto n = ::recv(left.get(), text, sizeof text, 0);
    if (n > 0) {
      EXPECT_TRUE(events & EPOLLIN);
      got.append(text, static_cast<std::size_t>(n));
      loop.remove(left.get(), watcher);
      EXPECT_EQ(::send(right.get(), "more", 4, 0), 4);
      loop.after(milliseconds(5), [&] { loop.stop(); });
    }
  };
  loop.add(left.get(), watcher);
  EXPECT_EQ(::send(right.get(), "hello", 5, 0), 5);
  loop.run();
  EXPECT_EQ(got, "hello");
}

TEST(EventLoop, PausesBetweenThoseOfTheFirstPriorityAndTheOthers) {
  EventLoop loop;
  constexpr int count = 50;  // of each; more than have their turn without a pause
  std::string order;
  std::vector<std::pair<os::Fd, os::Fd>> sockets;
  std::vector<Recorder> watchers(2 * count);
  for (std::size_t i = 0; i < watchers.size(); ++i) {
    const bool first = i % 2 == 0;
    watchers[i].react = [&order, first](std::uint32_t) { order += first ? 'f' : 'u'; };
    sockets.push_back(pair_of_sockets());
    loop.add(sockets[i].first.get(), watchers[i], first ? Priority::first : Priority::usual);
  }
  loop.on_pause([&] { order += '|'; });
  loop.on_idle([&] {
    if (std::count(order.begin(), order.end(), 'u') == count) loop.stop();
  });
  loop.run();
  const auto few = order.find('|');
  ASSERT_LT(few, std::size_t{count});
  EXPECT_EQ(order.substr(0, few), std::string(few, 'f')) << order;
  EXPECT_EQ(order.find("fu"), std::string::npos) << order;
  EXPECT_EQ(order.find("uf"), std::string::npos) << order;
  EXPECT_EQ(order.back(), '|') << order;
}

TEST(EventLoop, DropsEventsOfWatchersRemovedInTheSameBatchEvenWhenTheNumberIsUsedAgain) {
  EventLoop loop;
  auto [a, a_end] = pair_of_sockets();
  auto [b, b_end] = pair_of_sockets();
  Recorder first, second, later;
  os::Fd again;
  // Both are ready at once; whichever comes first replaces the other by a new descriptor.
  const auto replace = [&](os::Fd& other, Recorder& watcher) {
    if (again) return;
    const auto number = other.get();
    loop.remove(number, watcher);
    other.close();
    again = os::Fd(::dup(a_end.get()));
    EXPECT_EQ(again.get(), number);
    loop.add(again.get(), later);
    loop.after(milliseconds(5), [&] { loop.stop(); });
  };
  first.react = [&](std::uint32_t) { replace(b, second); };
  second.react = [&](std::uint32_t) { replace(a, first); };
  loop.add(a.get(), first);
  loop.add(b.get(), second);
  loop.run();
  EXPECT_EQ(first.calls + second.calls, 1);
  EXPECT_EQ(later.calls, 1);  // its own event of being writable, and not the dead one's
  loop.remove(again.get(), later);
}

TEST(EventLoop, ServesTheFirstPriorityBetweenAFewOfTheOthers) {
  constexpr int crowd = 100;
  EventLoop loop;
  auto [answer, dyno] = pair_of_sockets();
  std::vector<std::pair<os::Fd, os::Fd>> sockets;
  Recorder usual, first;
  int usual_before_first = 0;
  usual.react = [&](std::uint32_t) {
    if (usual.calls == 1) {
      EXPECT_EQ(::send(dyno.get(), "!", 1, 0), 1);
    }
    if (usual.calls == crowd) loop.stop();
  };
  first.react = [&](std::uint32_t events) {
    if ((events & EPOLLIN) != 0) usual_before_first = usual.calls;
  };
  for (int i = 0; i < crowd; ++i) {
    sockets.push_back(pair_of_sockets());
    loop.add(sockets.back().first.get(), usual);  // each of them is writable
  }
  loop.add(answer.get(), first, Priority::first);
  loop.run();
  EXPECT_EQ(usual.calls, crowd);
  EXPECT_GT(usual_before_first, 0);
  EXPECT_LT(usual_before_first, crowd / 2);
}

TEST(EventLoop, ServesACrowdThatItHasNoRoomForAtOnce) {
  constexpr int crowd = 6'000;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < crowd + 100) GTEST_SKIP() << "too few descriptors";
  EventLoop loop;
  auto [socket, end] = pair_of_sockets();
  std::vector<os::Fd> sockets;
  Recorder watcher;
  watcher.react = [&](std::uint32_t) {
    if (watcher.calls == crowd) loop.stop();
  };
  for (int i = 0; i < crowd; ++i) {
    sockets.emplace_back(::dup(socket.get()));
    loop.add(sockets.back().get(), watcher);
  }
  loop.run();
  EXPECT_EQ(watcher.calls, crowd);
}

TEST(EventLoop, GoesOnBehindACallbackThatThrew) {
  EventLoop loop;
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.post([] { throw std::runtime_error("broken"); });
  loop.post([&] {
    ++ran;
    loop.stop();
  });
  EXPECT_THROW(loop.run(), std::runtime_error);
  EXPECT_EQ(ran, 1);
  loop.run();
  EXPECT_EQ(ran, 2);
}

TEST(EventLoop, CallsTheIdleWorkAfterABatch) {
  EventLoop loop;
  int idle = 0;
  loop.on_idle([&] {
    if (++idle == 3) loop.stop();
    loop.post([] {});
  });
  loop.post([] {});
  loop.run();
  EXPECT_EQ(idle, 3);
}

TEST(TimerHeap, KeepsTheOrderThroughManyAdditionsAndCancellations) {
  TimerHeap heap;
  const TimerHeap::TimePoint start{};
  std::vector<std::uint64_t> ids;
  std::vector<int> ran;
  std::vector<int> expected;
  unsigned random = 12345;
  std::vector<std::pair<int, int>> kept;  // time, number
  for (int i = 0; i < 2000; ++i) {
    random = random * 1664525 + 1013904223;
    const int when = static_cast<int>(random >> 20);
    ids.push_back(heap.add(start + milliseconds(when), [&ran, i] { ran.push_back(i); }));
    if (i % 3 == 0) {
      heap.cancel(ids.back());
    } else {
      kept.emplace_back(when, i);
    }
  }
  for (int i = 1; i < 2000; i += 6) {  // also from the middle of the heap
    heap.cancel(ids[static_cast<std::size_t>(i)]);
    std::erase_if(kept, [&](const auto& one) { return one.second == i; });
  }
  std::sort(kept.begin(), kept.end());
  for (const auto& [when, number] : kept) expected.push_back(number);
  while (const auto work = heap.take_due(start + milliseconds(1 << 20))) work();
  EXPECT_EQ(ran, expected);
  EXPECT_FALSE(heap.next());
}

}  // namespace
}  // namespace renga::net

#include "http/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace renga::http {
namespace {

TEST(WorkerPool, StartsThreadsOnlyForWorkAndRefusesMoreThanItMayHave) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(3);
    EXPECT_EQ(pool.threads(), 0U);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(pool.run([&, released] {
        released.wait();
        ++ran;
      }));
    }
    EXPECT_EQ(pool.threads(), 3U);
    EXPECT_FALSE(pool.run([] {}));
    release.set_value();
  }
  EXPECT_EQ(ran, 3);  // the destructor waited
}

TEST(WorkerPool, UsesItsIdleThreadsAgain) {
  WorkerPool pool(100);
  for (int i = 0; i < 50; ++i) {
    std::promise<void> done;
    ASSERT_TRUE(pool.run([&] { done.set_value(); }));
    done.get_future().wait();
  }
  EXPECT_LT(pool.threads(), 50U);
}

TEST(WorkerPool, TakesWorkFromManyThreads) {
  std::atomic<int> ran = 0, refused = 0;
  {
    WorkerPool pool(4);
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int n = 0; n < 500; ++n) {
          if (!pool.run([&] { ++ran; })) ++refused;
        }
      });
    }
    for (auto& caller : callers) caller.join();
  }
  EXPECT_EQ(ran + refused, 2000);
}

}  // namespace
}  // namespace renga::http

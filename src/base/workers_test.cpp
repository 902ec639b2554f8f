#include "base/workers.h"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>

namespace renga {
namespace {

constexpr std::chrono::hours long_after{1};

// Rounds that a test waits for.
class Counted {
 public:
  int add() {
    const auto now = ++*count_.lock();
    changed_.notify_all();
    return now;
  }
  bool reaches(int wanted) {
    auto count = count_.lock();
    return count.wait_for(changed_, std::chrono::seconds(30), [&] { return *count >= wanted; });
  }

 private:
  Locked<int> count_;
  std::condition_variable changed_;
};

TEST(Workers, LooksAtTheStartWhenPokedAndWhenTheTimeHasCome) {
  Counted rounds;
  Workers workers("test", [&]() -> Duration {
    return rounds.add() == 2 ? Duration(std::chrono::milliseconds(1)) : Duration(long_after);
  });
  workers.start();
  EXPECT_TRUE(rounds.reaches(1));
  workers.poke();
  EXPECT_TRUE(rounds.reaches(3));
}

TEST(Workers, APokeDuringARoundIsAnotherRound) {
  Counted begun, ended;
  std::latch go_on(1);
  Workers workers("test", [&]() -> Duration {
    if (begun.add() == 1) go_on.wait();
    ended.add();
    return long_after;
  });
  workers.start();
  ASSERT_TRUE(begun.reaches(1));
  workers.poke();
  go_on.count_down();
  EXPECT_TRUE(ended.reaches(2));
}

TEST(Workers, PokesAllSoThatOneThatHangsHoldsUpItself) {
  Counted begun;
  std::latch go_on(1);
  Workers workers("test", [&]() -> Duration {
    if (begun.add() > 2) go_on.wait();
    return long_after;
  });
  workers.start(2);
  EXPECT_TRUE(begun.reaches(2));
  workers.poke_all();
  EXPECT_TRUE(begun.reaches(4));
  go_on.count_down();
}

TEST(Workers, ARoundThatThrowsIsNotTheLast) {
  Counted rounds;
  Workers workers("test", [&]() -> Duration {
    if (rounds.add() == 1) throw std::runtime_error("the disk is full");
    return long_after;
  });
  workers.start();
  EXPECT_TRUE(rounds.reaches(1));
  workers.poke();
  EXPECT_TRUE(rounds.reaches(2));
}

TEST(Workers, StopsWithoutAnotherRound) {
  Counted begun;
  std::latch go_on(1);
  {
    Workers workers("test", [&]() -> Duration {
      begun.add();
      go_on.wait();
      return {};
    });
    workers.start();
    ASSERT_TRUE(begun.reaches(1));
    workers.stop();
    EXPECT_TRUE(workers.stopping());
    go_on.count_down();
  }
  EXPECT_EQ(begun.add(), 2);
}

}  // namespace
}  // namespace renga

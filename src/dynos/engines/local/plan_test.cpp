#include "dynos/engines/local/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace renga::dynos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PlanTest : public testing::Test {
 protected:
  Present& add(const std::string& id, int number, bool fresh, State state) {
    Present dyno;
    dyno.id = {id};
    dyno.number = number;
    dyno.fresh = fresh;
    dyno.state = state;
    present.push_back(dyno);
    return present.back();
  }
  Plan planned(std::string type, int quantity) {
    return plan({std::move(type), "run", quantity, "Standard-1X"}, present, now, 4);
  }
  static std::vector<int> numbers(const Plan& plan) {
    std::vector<int> all;
    for (const auto& start : plan.start) all.push_back(start.number);
    return all;
  }
  static std::vector<std::string> ids(const std::vector<Id<Dyno>>& dynos) {
    std::vector<std::string> all;
    for (const auto& id : dynos) all.push_back(id.value);
    return all;
  }

  Time now = from_micros(1'000'000'000);
  std::vector<Present> present;
};

TEST_F(PlanTest, StartsWhatIsMissing) {
  add("a", 1, true, State::up);
  EXPECT_THAT(numbers(planned("web", 3)), ElementsAre(2, 3));
}

TEST_F(PlanTest, SaysNothingWhenAllIsAsItShouldBe) {
  add("a", 1, true, State::up);
  add("b", 2, true, State::starting);
  const auto plan = planned("worker", 2);
  EXPECT_THAT(plan.start, IsEmpty());
  EXPECT_THAT(plan.stop, IsEmpty());
}

TEST_F(PlanTest, StopsTheHighestNumbersFirst) {
  add("a", 1, true, State::up);
  add("b", 2, true, State::up);
  add("c", 3, true, State::starting);
  EXPECT_THAT(ids(planned("web", 1).stop), ElementsAre("c", "b"));
}

TEST_F(PlanTest, StartsANewWebDynoNextToTheOldOne) {
  add("old", 1, false, State::up);
  const auto plan = planned("web", 1);
  EXPECT_THAT(numbers(plan), ElementsAre(1));
  EXPECT_THAT(plan.stop, IsEmpty());
}

TEST_F(PlanTest, KeepsTheOldWebDynoUntilTheNewOneIsUp) {
  add("old", 1, false, State::up);
  add("new", 1, true, State::starting);
  EXPECT_THAT(planned("web", 1).stop, IsEmpty());
  present.back().state = State::up;
  EXPECT_THAT(ids(planned("web", 1).stop), ElementsAre("old"));
}

TEST_F(PlanTest, KeepsTheOldWebDynoWhileTheNewOneCoolsOff) {
  add("old", 1, false, State::up);
  auto& crashed = add("new", 1, true, State::crashed);
  crashed.crashes = 3;
  crashed.retry_at = now + std::chrono::seconds(15);
  const auto waiting = planned("web", 1);
  EXPECT_THAT(waiting.stop, IsEmpty());
  EXPECT_THAT(waiting.start, IsEmpty());
  EXPECT_EQ(waiting.again, now + std::chrono::seconds(15));

  now += std::chrono::seconds(15);
  EXPECT_THAT(planned("web", 1).start, ElementsAre(Start{1, 3, {{"new"}}}));
}

TEST_F(PlanTest, ForgetsThePastOfAnOlderRelease) {
  auto& crashed = add("old", 1, false, State::crashed);
  crashed.crashes = 9;
  crashed.retry_at = now + std::chrono::hours(1);
  EXPECT_THAT(planned("web", 1).start, ElementsAre(Start{1, 0, {{"old"}}}));
}

TEST_F(PlanTest, BoundsHowManyStartNextToTheOldOnes) {
  for (int number = 1; number <= 6; ++number)
    add("old" + std::to_string(number), number, false, State::up);
  EXPECT_THAT(numbers(planned("web", 6)), ElementsAre(1, 2, 3, 4));
  add("new1", 1, true, State::starting);
  EXPECT_THAT(numbers(planned("web", 6)), ElementsAre(2, 3, 4));
  present.back().state = State::up;
  EXPECT_THAT(numbers(planned("web", 6)), ElementsAre(2, 3, 4, 5));
}

TEST_F(PlanTest, DoesNotPileUpReleasesThatNeverCameUp) {
  add("v3", 1, false, State::up);
  add("v4", 1, false, State::starting);
  const auto plan = planned("web", 1);
  EXPECT_THAT(numbers(plan), ElementsAre(1));
  EXPECT_THAT(ids(plan.stop), ElementsAre("v4"));
}

TEST_F(PlanTest, StopsAWorkerBeforeItsSuccessorStarts) {
  add("old", 1, false, State::up);
  const auto first = planned("worker", 1);
  EXPECT_THAT(ids(first.stop), ElementsAre("old"));
  EXPECT_THAT(first.start, IsEmpty());
  present.back().stopping = true;
  EXPECT_THAT(planned("worker", 1).start, IsEmpty());
  present.clear();
  EXPECT_THAT(numbers(planned("worker", 1)), ElementsAre(1));
}

TEST_F(PlanTest, StartsAWebDynoWhileItsPredecessorFinishesRequests) {
  add("old", 1, false, State::down).stopping = true;
  EXPECT_THAT(numbers(planned("web", 1)), ElementsAre(1));
}

TEST_F(PlanTest, ScalingToZeroForgetsCrashes) {
  add("a", 1, true, State::crashed);
  EXPECT_THAT(ids(planned("worker", 0).clear), ElementsAre("a"));
}

}  // namespace
}  // namespace renga::dynos

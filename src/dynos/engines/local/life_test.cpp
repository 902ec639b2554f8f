#include "dynos/engines/local/life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "dynos/engines/local/back_off.h"

namespace renga::dynos {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class LifeTest : public testing::Test {
 protected:
  Orders after(Life& life, seconds passed) {
    clock.advance(passed);
    return life.tick(clock.steady());
  }

  FakeClock clock;
  Life web{Life::Kind::web, {}};
  Life worker{Life::Kind::other, {}};
  Life one_off{Life::Kind::one_off, {}};
};

TEST_F(LifeTest, AWebDynoIsUpWhenItsPortAccepts) {
  EXPECT_FALSE(web.launched(clock.steady()).changed);
  EXPECT_TRUE(web.probing());
  const auto orders = web.listening();
  EXPECT_TRUE(orders.changed);
  EXPECT_THAT(orders.lines, ElementsAre("State changed from starting to up"));
  EXPECT_FALSE(web.probing());
  EXPECT_FALSE(web.deadline());
}

TEST_F(LifeTest, AWorkerIsUpWhenItsCommandRuns) {
  EXPECT_THAT(worker.launched(clock.steady()).lines,
              ElementsAre("State changed from starting to up"));
}

TEST_F(LifeTest, AWebDynoThatBindsNoPortIsKilledAndCrashes) {
  web.launched(clock.steady());
  EXPECT_THAT(after(web, seconds(59)).lines, IsEmpty());
  const auto orders = after(web, seconds(1));
  EXPECT_EQ(orders.signal, Signal::kill);
  EXPECT_THAT(orders.lines,
              ElementsAre("Error R10 (Boot timeout) -> Web process failed to bind to $PORT within "
                          "60 seconds of launch",
                          "Stopping process with SIGKILL"));
  EXPECT_THAT(web.ended(137).lines, ElementsAre("Process exited with status 137",
                                                "State changed from starting to crashed"));
  EXPECT_EQ(web.state(), State::crashed);
}

TEST_F(LifeTest, OneThatHarmsOthersIsKilledAndCrashes) {
  worker.launched(clock.steady());
  const auto orders = worker.expel("Error", clock.steady());
  EXPECT_EQ(orders.signal, Signal::kill);
  EXPECT_THAT(orders.lines, ElementsAre("Error", "Stopping process with SIGKILL"));
  EXPECT_EQ(worker.expel("Error", clock.steady()).signal, Signal::none) << "said once";
  EXPECT_EQ(after(worker, seconds(10)).signal, Signal::kill);
  worker.ended(137);
  EXPECT_EQ(worker.state(), State::crashed);
  EXPECT_THAT(worker.expel("Error", clock.steady()).lines, IsEmpty());
}

TEST_F(LifeTest, AKillIsRepeatedUntilItTakes) {
  web.launched(clock.steady());
  after(web, seconds(60));
  EXPECT_EQ(after(web, seconds(10)).signal, Signal::kill);
  EXPECT_EQ(after(web, seconds(10)).signal, Signal::kill);
}

TEST_F(LifeTest, EndingUnaskedIsACrashWhateverTheStatus) {
  worker.launched(clock.steady());
  EXPECT_THAT(worker.ended(0).lines,
              ElementsAre("Process exited with status 0", "State changed from up to crashed"));
  EXPECT_EQ(worker.state(), State::crashed);
}

TEST_F(LifeTest, AWebDynoFinishesItsRequestsBeforeItIsTerminated) {
  web.launched(clock.steady());
  web.listening();
  const auto asked = web.stop(Life::Stop::after_requests, clock.steady());
  EXPECT_THAT(asked.lines, ElementsAre("State changed from up to down"));
  EXPECT_EQ(asked.signal, Signal::none);
  EXPECT_TRUE(web.draining());

  const auto orders = web.let_go(clock.steady());
  EXPECT_EQ(orders.signal, Signal::terminate);
  EXPECT_THAT(orders.lines, ElementsAre("Stopping all processes with SIGTERM"));
  EXPECT_THAT(web.ended(143).lines, ElementsAre("Process exited with status 143"));
  EXPECT_EQ(web.state(), State::down);
}

TEST_F(LifeTest, ARouterThatNeverLetsGoIsNotWaitedForForEver) {
  web.launched(clock.steady());
  web.listening();
  web.stop(Life::Stop::after_requests, clock.steady());
  EXPECT_EQ(after(web, seconds(29)).signal, Signal::none);
  EXPECT_EQ(after(web, seconds(1)).signal, Signal::terminate);
}

TEST_F(LifeTest, WhoIgnoresSigtermIsKilledAfterThirtySeconds) {
  worker.launched(clock.steady());
  EXPECT_EQ(worker.stop(Life::Stop::after_requests, clock.steady()).signal, Signal::terminate);
  EXPECT_EQ(after(worker, seconds(29)).signal, Signal::none);
  const auto orders = after(worker, seconds(1));
  EXPECT_EQ(orders.signal, Signal::kill);
  EXPECT_THAT(orders.lines, ElementsAre("Error R12 (Exit timeout) -> Process failed "
                                        "to exit within 30 seconds of SIGTERM",
                                        "Stopping remaining processes with SIGKILL"));
}

TEST_F(LifeTest, StoppingTwiceSignalsOnce) {
  worker.launched(clock.steady());
  worker.stop(Life::Stop::now, clock.steady());
  EXPECT_EQ(worker.stop(Life::Stop::now, clock.steady()).signal, Signal::none);
}

TEST_F(LifeTest, AWebDynoThatNeverCameUpIsTerminatedAtOnce) {
  web.launched(clock.steady());
  EXPECT_EQ(web.stop(Life::Stop::after_requests, clock.steady()).signal, Signal::terminate);
}

TEST_F(LifeTest, AOneOffThatEndsIsComplete) {
  one_off.launched(clock.steady());
  EXPECT_THAT(one_off.ended(3).lines,
              ElementsAre("Process exited with status 3", "State changed from up to complete"));
  EXPECT_EQ(one_off.state(), State::down);
}

TEST_F(LifeTest, ADynoThatCannotBeLaunchedCrashes) {
  EXPECT_THAT(
      web.refused("Error R17 (Checksum error) -> gone").lines,
      ElementsAre("Error R17 (Checksum error) -> gone", "State changed from starting to crashed"));
  EXPECT_TRUE(web.over());
}

TEST_F(LifeTest, AResumedBootKeepsItsLimit) {
  auto life = Life::resumed(Life::Kind::web, {}, State::starting, seconds(50), clock.steady());
  EXPECT_TRUE(life.probing());
  EXPECT_EQ(after(life, seconds(9)).signal, Signal::none);
  EXPECT_EQ(after(life, seconds(1)).signal, Signal::kill);
}

TEST_F(LifeTest, AResumedStopIsCarriedOn) {
  auto life = Life::resumed(Life::Kind::other, {}, State::down, seconds(5), clock.steady());
  EXPECT_EQ(life.tick(clock.steady()).signal, Signal::terminate);
  EXPECT_EQ(after(life, seconds(30)).signal, Signal::kill);
}

class BackOffTest : public testing::Test {
 protected:
  Duration wait(int before, seconds ran) {
    return after_crash(before, ran, now, table, std::chrono::minutes(5)).retry_at - now;
  }
  Time now = from_micros(0);
  std::vector<seconds> table{seconds(5), seconds(15), seconds(60)};
};

TEST_F(BackOffTest, TheFirstCrashRestartsAtOnce) { EXPECT_EQ(wait(0, seconds(1)), seconds(0)); }

TEST_F(BackOffTest, EachFurtherCrashWaitsLongerUpToTheLast) {
  EXPECT_EQ(wait(1, seconds(1)), seconds(5));
  EXPECT_EQ(wait(2, seconds(1)), seconds(15));
  EXPECT_EQ(wait(3, seconds(1)), seconds(60));
  EXPECT_EQ(wait(99, seconds(1)), seconds(60));
}

TEST_F(BackOffTest, RunningForAWhileForgivesThePast) {
  EXPECT_EQ(wait(7, seconds(300)), seconds(0));
  EXPECT_EQ(after_crash(7, seconds(300), now, table, seconds(300)).crashes, 1);
}

}  // namespace
}  // namespace renga::dynos

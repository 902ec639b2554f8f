// Apps that sleep when nobody asks for them, and dynos that are replaced each day.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dynos/testing/keeper_world.h"

namespace renga::dynos {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const ProcessSpec eco_web{"web", "serve $PORT", 1, "Eco"};
const ProcessSpec eco_worker{"worker", "work", 1, "Eco"};
const ProcessSpec standard_worker{"worker", "work", 1, "Standard-1X"};
const ProcessSpec two_web{"web", "serve $PORT", 2, "Standard-1X"};

class KeeperRestTest : public testing::Test, protected KeeperWorld {
 protected:
  bool idle() { return keeper->idle(app); }
  void wake() {
    keeper->wake(app);
    settle();
  }
  void fall_asleep() {
    apply(release(3, {eco_web, eco_worker}));
    pass(minutes(31));
  }
};

TEST_F(KeeperRestTest, AnAppThatNobodyAsksForIsFrozen) {
  fall_asleep();
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 idle", "worker.1@v3 idle"));
  EXPECT_TRUE(machine.named("web.1@v3").frozen);
  EXPECT_TRUE(machine.named("worker.1@v3").frozen);
  EXPECT_THAT(log, Contains("web.1: Idling"));
  EXPECT_THAT(log, Contains("web.1: State changed from up to idle"));
  // Connections wait in the kernel meanwhile.
  EXPECT_THAT(served(), ElementsAre("web.1"));
  EXPECT_TRUE(idle());
}

TEST_F(KeeperRestTest, ARequestWakesIt) {
  fall_asleep();
  wake();
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up", "worker.1@v3 up"));
  EXPECT_FALSE(machine.named("web.1@v3").frozen);
  EXPECT_FALSE(idle());
  EXPECT_THAT(log, Contains("web.1: Unidling"));
  pass(minutes(29));
  EXPECT_FALSE(idle());
  pass(minutes(2));
  EXPECT_TRUE(idle());
}

TEST_F(KeeperRestTest, RequestsKeepItAwake) {
  apply(release(3, {eco_web}));
  for (int i = 0; i < 6; ++i) {
    pass(minutes(20));
    keeper->requested(app);
  }
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up"));
}

TEST_F(KeeperRestTest, IsAnnouncedBeforeItSleepsSoThatTheRouterCanObject) {
  apply(release(3, {eco_web}));
  pass(minutes(30));
  pass(seconds(1));
  EXPECT_TRUE(idle());
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up"));
  wake();
  pass(minutes(1));
  EXPECT_FALSE(idle());
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up"));
  EXPECT_THAT(log, Not(Contains("web.1: Unidling")));
}

TEST_F(KeeperRestTest, OtherSizesStayAwake) {
  apply(release(3, {eco_web, standard_worker}));
  pass(hours(1));
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 idle", "worker.1@v3 up"));
  apply(release(3, {two_web, eco_worker}));
  pass(hours(1));
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up", "web.2@v3 up", "worker.1@v3 up"));
}

TEST_F(KeeperRestTest, EndsItsProcessesWhenNobodyAsksForLong) {
  fall_asleep();
  log.clear();
  pass(hours(7));
  EXPECT_THAT(machine.names(), IsEmpty());
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 idle", "worker.1@v3 idle"));
  EXPECT_THAT(log, Contains("web.1: Process exited with status 143"));
  EXPECT_THAT(log, Not(Contains("web.1: State changed from idle to crashed")));
  EXPECT_TRUE(idle());
  EXPECT_TRUE(keeper->endpoints(app).starting);  // requests are held
  wake();
  pass(seconds(1));
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up", "worker.1@v3 up"));
  EXPECT_THAT(log, Contains("web.1: State changed from idle to starting"));
  EXPECT_FALSE(idle());
  EXPECT_THAT(served(), ElementsAre("web.1"));
}

TEST_F(KeeperRestTest, SleepsOnOverARestartOfControlAndOfTheMachine) {
  fall_asleep();
  boot();
  EXPECT_TRUE(machine.named("web.1@v3").frozen);
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 idle", "worker.1@v3 idle"));
  machine.lose_all();
  boot();
  EXPECT_THAT(machine.names(), IsEmpty());
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 idle", "worker.1@v3 idle"));
  wake();
  pass(seconds(1));
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v3", "worker.1@v3"));
}

TEST_F(KeeperRestTest, ANewReleaseWakesIt) {
  fall_asleep();
  apply(release(4, {eco_web, eco_worker}));
  pass(seconds(1));
  EXPECT_THAT(shown(), ElementsAre("web.1@v4 up", "worker.1@v4 up"));
  pass(hours(8));
  apply(release(5, {eco_web}));
  pass(seconds(1));
  EXPECT_THAT(shown(), ElementsAre("web.1@v5 up"));
}

TEST_F(KeeperRestTest, ScalingToZeroEndsWhatSleeps) {
  fall_asleep();
  auto none = eco_web;
  none.quantity = 0;
  apply(release(3, {none}));
  pass(seconds(40));
  EXPECT_THAT(machine.names(), IsEmpty());
  EXPECT_THAT(shown(), IsEmpty());
}

TEST_F(KeeperRestTest, AFrozenDynoThatIsKilledIsACrash) {
  fall_asleep();
  machine.end(machine.named("web.1@v3").spec.id, std::nullopt);
  settle();
  pass(seconds(1));
  EXPECT_THAT(log, Contains("web.1: State changed from idle to crashed"));
  EXPECT_THAT(shown(), Contains("web.1@v3 up"));
}

TEST_F(KeeperRestTest, DynosOfATypeWithSeveralAreReplacedEachDay) {
  apply(release(3, {two_web, standard_worker}));
  pass(seconds(1));
  const auto first = machine.starts;
  pass(hours(23));
  EXPECT_EQ(machine.starts, first);
  pass(hours(5));
  EXPECT_EQ(machine.starts.size(), first.size() + 2);  // not the worker, which is alone
  EXPECT_THAT(log, Contains("web.1: Cycling"));
  EXPECT_THAT(log, Contains("web.2: Cycling"));
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up", "web.2@v3 up", "worker.1@v3 up"));
}

TEST_F(KeeperRestTest, OneThatIsAloneIsReplacedWhereTheOperatorSaysSo) {
  options.cycle_from = 1;
  boot();
  apply(release(3, {standard_worker}));
  pass(hours(28));
  EXPECT_EQ(machine.starts.size(), 2u);
  EXPECT_THAT(log, Contains("worker.1: Cycling"));
  EXPECT_THAT(shown(), ElementsAre("worker.1@v3 up"));
}

TEST_F(KeeperRestTest, NeverMeansNever) {
  options.sleep_after = options.cycle_after = seconds(0);
  boot();
  apply(release(3, {{"web", "serve", 2, "Eco"}}));
  pass(hours(60));
  EXPECT_EQ(machine.starts.size(), 2u);
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up", "web.2@v3 up"));
}

}  // namespace
}  // namespace renga::dynos

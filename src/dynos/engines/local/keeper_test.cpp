#include "dynos/engines/local/keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dynos/testing/keeper_world.h"

namespace renga::dynos {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

const ProcessSpec one_web{"web", "serve $PORT", 1, "Standard-1X"};
const ProcessSpec two_web{"web", "serve $PORT", 2, "Standard-1X"};
const ProcessSpec one_worker{"worker", "work", 1, "Standard-1X"};

class KeeperTest : public testing::Test, protected KeeperWorld {
 protected:
  Record one_off(const std::string& id) {
    auto record = new_record({id}, *spec, "run", 4711, "rake", "Standard-1X", clock.now());
    record.one_off = true;
    Records(database).insert(record);
    return record;
  }
};

TEST_F(KeeperTest, StartsWhatTheSpecSays) {
  apply(release(3, {two_web, one_worker, {"release", "migrate", 0, "Standard-1X"}}));
  pass(seconds(1));
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v3", "web.2@v3", "worker.1@v3"));
  EXPECT_THAT(served(), ElementsAre("web.1", "web.2"));
  EXPECT_THAT(shown(), ElementsAre("web.1@v3 up", "web.2@v3 up", "worker.1@v3 up"));
}

TEST_F(KeeperTest, SpeaksAsHerokuDoes) {
  apply(release(3, {one_web}));
  pass(seconds(1));
  const auto port = machine.named("web.1@v3").spec.env.at("PORT");
  EXPECT_THAT(log, ElementsAre("web.1: Starting process with command `serve " + port + "`",
                               "web.1: State changed from starting to up"));
}

TEST_F(KeeperTest, RunsNothingWithoutASlug) {
  auto empty = release(1, {one_web});
  empty.slug.reset();
  apply(empty);
  pass(seconds(1));
  EXPECT_THAT(machine.names(), IsEmpty());
  EXPECT_EQ(keeper->endpoints(app).web_quantity, 0);
}

TEST_F(KeeperTest, ServesOnlyDynosWhosePortAccepts) {
  machine.listen_at_once = false;
  apply(release(3, {one_web}));
  pass(seconds(5));
  EXPECT_THAT(served(), IsEmpty());
  EXPECT_TRUE(keeper->endpoints(app).starting);
  machine.named("web.1@v3").listening = true;
  pass(seconds(1));
  EXPECT_THAT(served(), ElementsAre("web.1"));
}

TEST_F(KeeperTest, ANewReleaseRollsWebAndReplacesWorkers) {
  apply(release(3, {two_web, one_worker}));
  pass(seconds(1));
  machine.listen_at_once = false;
  apply(release(4, {two_web, one_worker}));
  EXPECT_THAT(machine.names(),
              ElementsAre("web.1@v3", "web.1@v4", "web.2@v3", "web.2@v4", "worker.1@v4"));
  EXPECT_EQ(served().size(), 2U);

  machine.named("web.2@v4").listening = true;
  pass(seconds(1));
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v3", "web.1@v4", "web.2@v4", "worker.1@v4"));
  machine.named("web.1@v4").listening = true;
  pass(seconds(1));
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v4", "web.2@v4", "worker.1@v4"));
}

TEST_F(KeeperTest, TheOldDynoFinishesItsRequestsFirst) {
  apply(release(3, {one_web}));
  pass(seconds(1));
  router_lets_go = false;
  apply(release(4, {one_web}));
  pass(seconds(20));
  EXPECT_THAT(served(), ElementsAre("web.1"));
  EXPECT_THAT(machine.named("web.1@v3").signals, IsEmpty());
  pass(seconds(11));  // the router never let go: the drain limit
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v4"));
}

TEST_F(KeeperTest, AReleaseThatCrashesLeavesTheOldOneServing) {
  apply(release(3, {one_web}));
  pass(seconds(1));
  machine.listen_at_once = false;
  apply(release(4, {one_web}));
  crash("web.1@v4", 1);
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v3", "web.1@v4"));  // the first crash: at once
  crash("web.1@v4", 1);
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v3"));
  EXPECT_THAT(served(), ElementsAre("web.1"));
  EXPECT_THAT(log, Contains("web.1: Release v4 did not come up: the dyno of v3 keeps serving"));
  pass(seconds(5));
  EXPECT_THAT(machine.names(), ElementsAre("web.1@v3", "web.1@v4"));
}

TEST_F(KeeperTest, ABootTimeoutIsACrashAndSaysSo) {
  machine.listen_at_once = false;
  apply(release(3, {one_web}));
  pass(seconds(61));
  EXPECT_THAT(log, IsSupersetOf({"web.1: Error R10 (Boot timeout) -> Web process failed to bind to "
                                 "$PORT within 60 seconds of launch",
                                 "web.1: Process exited with status 137",
                                 "web.1: State changed from starting to crashed",
                                 "web.1: State changed from crashed to starting"}));
}

TEST_F(KeeperTest, WhatADynoWritesIsWatchedWhileItRuns) {
  apply(release(3, {one_worker, {"report", "work", 1, "Performance-M"}}));
  pass(seconds(1));
  const auto worker = machine.named("worker.1@v3").spec.id;
  EXPECT_EQ(watched.at(worker), 512LL << 20);
  EXPECT_EQ(watched.at(machine.named("report.1@v3").spec.id), 2560LL << 20);
  boot();
  EXPECT_EQ(watched.size(), 2U) << "by the next control, too";

  log.clear();
  keeper->expel({worker}, "Error (Disk quota exceeded)");
  keeper->expel({"nobody"}, "Error");
  settle();
  EXPECT_THAT(log, IsSupersetOf({"worker.1: Error (Disk quota exceeded)",
                                 "worker.1: Stopping process with SIGKILL",
                                 "worker.1: Process exited with status 137",
                                 "worker.1: State changed from up to crashed"}));
  pass(seconds(1));
  EXPECT_NE(machine.named("worker.1@v3").spec.id, worker) << "the first crash restarts at once";
  EXPECT_FALSE(watched.contains(worker));
  EXPECT_EQ(watched.size(), 2U);
}

TEST_F(KeeperTest, WhatADynoWroteGoesThoughItsEndCannotBeNoted) {
  apply(release(3, {one_worker}));
  ASSERT_TRUE(keeper->run(*spec, one_off("job"), {}));
  for (const std::string what : {"INSERT", "UPDATE"})
    database.run("CREATE TRIGGER no_" + what + " BEFORE " + what +
                 " ON local_dynos BEGIN SELECT RAISE(FAIL, 'the disk is full'); END");
  crash("run.4711@v3", 3);
  crash("worker.1@v3", 1);
  EXPECT_THAT(machine.ids(), IsEmpty()) << "or what it wrote keeps the disk full";
  pass(seconds(30));
  for (const auto* what : {"DROP TRIGGER no_INSERT", "DROP TRIGGER no_UPDATE"}) database.run(what);
  pass(seconds(6));
  EXPECT_EQ(Records(database).find({"job"})->dyno.exit_status, 3);
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
  crash("worker.1@v3", 1);
  pass(seconds(4));
  EXPECT_THAT(machine.names(), IsEmpty()) << "its second crash, and not its eighth";
  pass(seconds(2));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
}

TEST_F(KeeperTest, BackOffSurvivesARestartOfControl) {
  apply(release(3, {one_worker}));
  crash("worker.1@v3", 1);
  crash("worker.1@v3", 1);
  EXPECT_THAT(machine.names(), IsEmpty());
  pass(seconds(2));
  boot();
  EXPECT_THAT(machine.names(), IsEmpty());
  EXPECT_THAT(shown(), ElementsAre("worker.1@v3 crashed"));
  pass(seconds(4));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
  crash("worker.1@v3", 1);
  pass(seconds(14));
  EXPECT_THAT(machine.names(), IsEmpty());
  pass(seconds(2));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
}

TEST_F(KeeperTest, ARestartByHandEndsTheCoolOff) {
  apply(release(3, {one_worker}));
  crash("worker.1@v3", 1);
  crash("worker.1@v3", 1);
  Records(database).ask(app, "worker", 0, Asked::replace);
  keeper->asked(app);
  settle();
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
  crash("worker.1@v3", 1);
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
}

TEST_F(KeeperTest, ScalingDownStopsTheHighestNumbers) {
  apply(release(3, {{"worker", "work", 3, "Standard-1X"}}));
  apply(release(3, {one_worker}));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
  EXPECT_THAT(log, IsSupersetOf({"worker.3: State changed from up to down",
                                 "worker.3: Stopping all processes with SIGTERM",
                                 "worker.3: Process exited with status 143"}));
}

TEST_F(KeeperTest, ANewSizeRestartsTheType) {
  apply(release(3, {one_worker}));
  auto bigger = one_worker;
  bigger.size = "standard-2x";
  apply(release(3, {bigger}));
  EXPECT_EQ(machine.named("worker.1@v3").spec.limits.memory_bytes, 1LL << 30);
  EXPECT_EQ(machine.names().size(), 1U);
}

TEST_F(KeeperTest, WhoIgnoresSigtermIsKilled) {
  apply(release(3, {one_worker}));
  machine.named("worker.1@v3").ignores_sigterm = true;
  apply(release(4, {one_worker}));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));  // never two of a number
  pass(seconds(31));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v4"));
  EXPECT_THAT(log, Contains("worker.1: Error R12 (Exit timeout) -> Process failed to "
                            "exit within 30 seconds of SIGTERM"));
}

TEST_F(KeeperTest, AStopRightAfterTheLaunchIsSaidTwice) {
  apply(release(3, {one_worker}));
  machine.named("worker.1@v3").ignores_sigterm = true;
  apply(release(4, {one_worker}));
  pass(seconds(5));
  EXPECT_THAT(machine.named("worker.1@v3").signals, ElementsAre(15, 15));
}

TEST_F(KeeperTest, AStopIsCarriedOnAfterARestartOfControl) {
  apply(release(3, {one_worker}));
  pass(seconds(2));
  machine.named("worker.1@v3").ignores_sigterm = true;
  apply(release(4, {one_worker}));
  pass(seconds(10));
  boot();
  EXPECT_THAT(machine.named("worker.1@v3").signals, ElementsAre(15, 15));
  pass(seconds(31));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v4"));
}

TEST_F(KeeperTest, ARestartOfControlTouchesNoDyno) {
  apply(release(3, {two_web, one_worker}));
  pass(seconds(1));
  const auto before = machine.starts;
  log.clear();
  boot();
  pass(seconds(1));
  EXPECT_EQ(machine.starts, before);
  EXPECT_THAT(log, IsEmpty());
  EXPECT_THAT(served(), ElementsAre("web.1", "web.2"));
}

TEST_F(KeeperTest, WhatEndedWhileControlWasAwayIsACrash) {
  apply(release(3, {one_worker}));
  machine.end(machine.named("worker.1@v3").spec.id, 7);
  boot();
  EXPECT_THAT(log, IsSupersetOf({"worker.1: Process exited with status 7",
                                 "worker.1: State changed from up to crashed"}));
  EXPECT_THAT(machine.names(), ElementsAre("worker.1@v3"));
}

TEST_F(KeeperTest, SandboxesThatNoRowKnowsAreRemoved) {
  sandbox::Spec stray;
  stray.id = "stray";
  stray.name = "web.9";
  ASSERT_TRUE(machine.start(stray));
  stray.id = "build";
  ASSERT_TRUE(machine.start(stray));
  options.is_foreign = [](const std::string& id) { return id == "build"; };
  boot();
  EXPECT_FALSE(machine.sandboxes.contains("stray"));
  EXPECT_TRUE(machine.sandboxes.contains("build"));
}

TEST_F(KeeperTest, AMissingSlugIsAnR17) {
  slug_missing = true;
  apply(release(3, {one_worker}));
  EXPECT_THAT(log, Contains("worker.1: Error R17 (Checksum error) -> The slug's archive is gone."));
  EXPECT_THAT(shown(), ElementsAre("worker.1@v3 crashed"));
  slug_missing = false;
  pass(seconds(6));
  EXPECT_THAT(shown(), ElementsAre("worker.1@v3 up"));
}

TEST_F(KeeperTest, AMachineThatMakesNoSandboxesIsAnR99) {
  machine.refuse_start = "No overlayfs.";
  apply(release(3, {one_web}));
  EXPECT_THAT(log, Contains("web.1: Error R99 (Platform error) -> No overlayfs."));
  EXPECT_TRUE(keeper->endpoints(app).crashed);
}

TEST_F(KeeperTest, TellsOfMemoryAsLongAsTheQuotaIsPassed) {
  apply(release(3, {one_worker}));
  auto& worker = machine.named("worker.1@v3");
  worker.memory = 600LL << 20;
  pass(seconds(61));
  EXPECT_EQ(std::ranges::count(log, "worker.1: Error R14 (Memory quota exceeded)"), 3);
  EXPECT_THAT(log, Contains("worker.1: Process running mem=600MB(117.2%)"));
  worker.memory = 400LL << 20;
  pass(seconds(61));
  EXPECT_EQ(std::ranges::count(log, "worker.1: Error R14 (Memory quota exceeded)"), 3);
}

TEST_F(KeeperTest, HearsAtOnceOfOneThatWantsMoreThanThereIs) {
  const auto told = [&] {
    return std::ranges::count(log, "worker.1: Error R14 (Memory quota exceeded)");
  };
  apply(release(3, {one_worker}));
  auto& worker = machine.named("worker.1@v3");
  const auto wants = [&] {
    const std::uint64_t one = 1;
    ASSERT_EQ(write(worker.wants_memory, &one, sizeof one), 8);
    keeper->step();
  };
  worker.memory = 300LL << 20;  // of 512; the rest was files that it had read
  wants();
  EXPECT_EQ(told(), 0);
  worker.memory = 500LL << 20;
  wants();
  EXPECT_EQ(told(), 0) << "it is not listened to for a moment";
  pass(seconds(5));
  EXPECT_EQ(told(), 1) << "what was said meanwhile is made up for";
  wants();
  pass(seconds(6));
  EXPECT_EQ(told(), 1) << "and every 20 seconds from then on";
  pass(seconds(10));
  EXPECT_EQ(told(), 2);
  worker.memory_kills = 1;
  wants();
  EXPECT_THAT(log, Contains("worker.1: Error R15 (Memory quota vastly exceeded)"));
}

TEST_F(KeeperTest, DoesNotTellAgainOfKillsThatAnEarlierControlToldOf) {
  apply(release(3, {one_worker}));
  machine.named("worker.1@v3").memory_kills = 1;
  pass(seconds(21));
  boot();
  pass(seconds(21));
  EXPECT_EQ(std::ranges::count(log, "worker.1: Error R15 (Memory quota vastly exceeded)"), 1);
}

TEST_F(KeeperTest, LogsWhatADynoUsesWhereThatIsWanted) {
  options.logs_metrics = [](const Id<apps::App>&) { return true; };
  boot();
  apply(release(3, {one_worker}));
  auto& worker = machine.named("worker.1@v3");
  worker.memory = 100LL << 20;
  worker.runnable = 2;
  pass(seconds(61));
  EXPECT_EQ(std::ranges::count_if(log,
                                  [](const std::string& line) {
                                    return line.find("sample#load_avg_1m=") != std::string::npos;
                                  }),
            3);
  EXPECT_THAT(log,
              Contains(testing::AllOf(testing::StartsWith("worker.1: source=worker.1 dyno=heroku."),
                                      testing::HasSubstr("sample#memory_rss=100.00MB"),
                                      testing::EndsWith("sample#memory_quota=512.00MB"))));
  EXPECT_THAT(log, Contains(testing::HasSubstr("sample#load_avg_1m=1.26")));
}

TEST_F(KeeperTest, HandsOverAPointOfWhatADynoUsesEveryMinute) {
  std::vector<UsagePoint> points;
  options.on_usage = [&](const Id<apps::App>&, const UsagePoint& point) {
    points.push_back(point);
  };
  boot();
  apply(release(3, {one_worker}));
  auto& worker = machine.named("worker.1@v3");
  for (int turn = 1; turn <= 6; ++turn) {
    worker.memory = (turn == 2 ? 200LL : 100LL) << 20;
    worker.cpu_micros += 5'000'000;  // in 20 s: a quarter of a CPU
    pass(seconds(20));
  }
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].dyno, "worker.1");
  EXPECT_EQ(points[0].rss_bytes, 200LL << 20) << "the most of the minute";
  EXPECT_EQ(points[0].quota_bytes, 512LL << 20);
  EXPECT_EQ(points[1].rss_bytes, 100LL << 20);
  EXPECT_NEAR(points[1].cpus, 0.25, 0.01);
}

TEST_F(KeeperTest, TellsOfAKillForMemory) {
  apply(release(3, {one_worker}));
  machine.named("worker.1@v3").memory_kills = 1;
  crash("worker.1@v3", 137);
  EXPECT_THAT(log, Contains("worker.1: Error R15 (Memory quota vastly exceeded)"));
}

TEST_F(KeeperTest, AOneOffRunsOnceAndItsStatusIsKept) {
  apply(release(3, {one_worker}));
  auto record = one_off("job");
  ASSERT_TRUE(keeper->run(*spec, record, {{"TERM", "xterm"}}));
  EXPECT_EQ(machine.sandboxes.at("job").spec.env.at("TERM"), "xterm");
  EXPECT_FALSE(machine.sandboxes.at("job").spec.env.contains("PORT"));
  crash("run.4711@v3", 3);
  EXPECT_THAT(log, IsSupersetOf({"run.4711: Starting process with command `rake`",
                                 "run.4711: State changed from up to complete"}));
  EXPECT_EQ(Records(database).find({"job"})->dyno.exit_status, 3);
  EXPECT_FALSE(machine.sandboxes.contains("job"));
  pass(std::chrono::hours(26));
  EXPECT_FALSE(Records(database).find({"job"}));
}

TEST_F(KeeperTest, AOneOffEndsWithItsTimeToLive) {
  apply(release(3, {}));
  auto record = one_off("job");
  record.expires_at = clock.now() + seconds(60);
  ASSERT_TRUE(keeper->run(*spec, record, {}));
  pass(seconds(59));
  EXPECT_TRUE(machine.sandboxes.contains("job"));
  pass(seconds(2));
  EXPECT_EQ(Records(database).find({"job"})->dyno.exit_status, 143);
}

TEST_F(KeeperTest, AOneOffThatTheMachineTookDownFailed) {
  apply(release(3, {}));
  ASSERT_TRUE(keeper->run(*spec, one_off("job"), {}));
  machine.lose_all();
  boot();
  EXPECT_EQ(Records(database).find({"job"})->dyno.exit_status, 137);
  EXPECT_EQ(machine.starts["job"], 1);
}

TEST_F(KeeperTest, AOneOffThatWasNeverLaunchedLeavesNoTrace) {
  apply(release(3, {}));
  one_off("job");
  boot();
  EXPECT_FALSE(Records(database).find({"job"}));
}

TEST_F(KeeperTest, ForgettingAnAppKillsAllOfIt) {
  apply(release(3, {two_web, one_worker}));
  ASSERT_TRUE(keeper->run(*spec, one_off("job"), {}));
  keeper->forget(app);
  settle();
  EXPECT_THAT(machine.sandboxes, IsEmpty());
  EXPECT_THAT(Records(database).all(), IsEmpty());
  EXPECT_EQ(keeper->endpoints(app), Endpoints());
}

TEST_F(KeeperTest, StoppingEverythingStartsNothingAnyMore) {
  apply(release(3, {two_web, one_worker}));
  pass(seconds(1));
  keeper->stop_everything();
  pass(seconds(10));
  EXPECT_TRUE(keeper->idle());
  EXPECT_THAT(machine.names(), IsEmpty());
}

}  // namespace
}  // namespace renga::dynos

#include "scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/testing/fake_clock.h"
#include "dynos/testing/fake_engine.h"
#include "dynos/testing/platform.h"
#include "scheduler/declared_jobs.h"
#include "scheduler/migrations.h"

namespace renga::scheduler {
namespace {

using namespace std::chrono_literals;

struct Clockwork {
  FakeClock fake_clock_;
};

class SchedulerTest : public testing::Test, protected Clockwork, protected dynos::Platform {
 protected:
  SchedulerTest() : Platform(fake_clock_) {
    database.migrate(scheduler::migrations());
    deploy(slug({{"worker", "work"}}));
    boot();
  }
  void boot() { scheduler.emplace(jobs, fake_clock_, apps, releases, reconciler, engine, outputs); }
  void advance(Duration by) { fake_clock_.advance(by); }
  static JobChange wanted(std::string command, std::string schedule) {
    JobChange change;
    change.command = std::move(command);
    change.schedule = std::move(schedule);
    return change;
  }
  Job add(const std::string& schedule, const std::string& command,
          Overlap overlap = Overlap::skip) {
    auto change = wanted(command, schedule);
    change.overlap = overlap;
    return jobs.add(sushi.id, change).value();
  }
  std::vector<std::string> states(const Job& job) {
    std::vector<std::string> all;
    for (const auto& run : jobs.runs(job)) all.emplace_back(name_of(run.state));
    return all;
  }

  dynos::FakeEngine engine{fake_clock_};
  dynos::Reconciler reconciler{database, fake_clock_, apps,   domains, releases,
                               slugs,    formation,   engine, logs,    outputs};
  Jobs jobs{database, fake_clock_};
  std::optional<Scheduler> scheduler;
};

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(SchedulerTest, TakesAwayWhatPeopleAddedAndLeavesWhatAppJsonAsksFor) {
  DeclaredJobs declared(database, jobs);
  (void)declared.declare(sushi.id, {{"kept", "@daily"}}).value();
  const auto job = add("* * * * *", "gone");
  advance(1min);
  scheduler->pass();
  const auto output = jobs.runs(job).at(0).output;
  EXPECT_THAT(declared.remove_others(sushi.id), ElementsAre(output));
  ASSERT_EQ(jobs.all(sushi.id).size(), 1U);
  EXPECT_EQ(jobs.all(sushi.id)[0].command, "kept");
  EXPECT_THAT(declared.remove_others(sushi.id), ElementsAre());
}

// It is 10:00:00.
TEST_F(SchedulerTest, RunsAJobWhenItIsDue) {
  const auto job = add("*/10 * * * *", "exit 3");
  scheduler->pass();
  EXPECT_TRUE(engine.ran().empty());
  advance(10min);
  scheduler->pass();
  scheduler->pass();
  ASSERT_EQ(engine.ran().size(), 1U);
  EXPECT_EQ(engine.ran()[0].type, "scheduler");
  EXPECT_EQ(engine.ran()[0].command, "exit 3");
  const auto run = jobs.runs(job).at(0);
  EXPECT_EQ(run.state, RunState::failed);
  EXPECT_EQ(run.exit_status, 3);
  EXPECT_EQ(rfc3339(*run.due_at), "2026-01-05T10:10:00Z");
  EXPECT_TRUE(outputs.finished(run.output));
}

TEST_F(SchedulerTest, CatchesUpOnceAfterDowntime) {
  const auto job = add("* * * * *", "exit 0");
  advance(24h * 40);
  boot();
  scheduler->pass();
  scheduler->pass();
  EXPECT_EQ(engine.ran().size(), 1U);
  EXPECT_EQ(rfc3339(*jobs.runs(job).at(0).due_at), "2026-02-14T10:00:00Z");
  advance(1min);
  scheduler->pass();
  EXPECT_EQ(engine.ran().size(), 2U);
}

// Control dies between any two steps: as the rows are then, the next pass goes on.
TEST_F(SchedulerTest, NeverRunsTwiceForOneMinute) {
  const auto job = add("*/10 * * * *", "sleep");
  advance(10min);
  jobs.reach(fake_clock_.now());  // and then it died
  boot();
  scheduler->pass();
  ASSERT_EQ(engine.ran().size(), 1U);

  // The engine heard of it, and the row was not written any more.
  auto run = jobs.runs(job).at(0);
  run.state = RunState::starting;
  jobs.update(run);
  boot();
  scheduler->pass();
  EXPECT_EQ(engine.ran().size(), 1U);
  EXPECT_THAT(states(job), ElementsAre("running"));

  // A clock that goes back, and a next time that says the same minute again.
  database.run("UPDATE scheduler_jobs SET next_at = ?", *run.due_at);
  scheduler->pass();
  EXPECT_EQ(engine.ran().size(), 1U);
  engine.end_one_off(run.dyno, 0);
  scheduler->pass();
  EXPECT_THAT(states(job), ElementsAre("succeeded"));
}

TEST_F(SchedulerTest, KeepsToTheOverlapPolicy) {
  const auto skips = add("* * * * *", "skip", Overlap::skip);
  const auto queues = add("* * * * *", "queue", Overlap::queue);
  const auto allows = add("* * * * *", "allow", Overlap::allow);
  for (int i = 0; i < 3; ++i) {
    advance(1min);
    scheduler->pass();
  }
  EXPECT_THAT(states(skips), ElementsAre("skipped", "skipped", "running"));
  EXPECT_THAT(states(queues), ElementsAre("waiting", "waiting", "running"));
  EXPECT_THAT(states(allows), ElementsAre("running", "running", "running"));
  for (int i = 0; i < 20; ++i) {
    advance(1min);
    scheduler->pass();
  }
  int waiting = 0;
  for (const auto& state : states(queues)) waiting += state == "waiting";
  EXPECT_EQ(waiting, 10);
  for (const auto& run : jobs.runs(queues))
    if (run.state == RunState::running) engine.end_one_off(run.dyno, 0);
  scheduler->pass();
  waiting = 0;
  for (const auto& state : states(queues)) waiting += state == "waiting";
  EXPECT_EQ(waiting, 9);
}

TEST_F(SchedulerTest, RunsByHandAndKeepsTheLastFifty) {
  const auto job = add("0 0 1 1 *", "exit 0");
  for (int i = 0; i < 60; ++i) {
    jobs.run_now(job);
    advance(1s);
    scheduler->pass();
  }
  scheduler->pass();
  EXPECT_EQ(engine.ran().size(), 60U);
  EXPECT_EQ(jobs.runs(job).size(), 50U);
  EXPECT_FALSE(jobs.runs(job).at(0).due_at);
}

TEST_F(SchedulerTest, SaysWhatIsWrongWithAJob) {
  const auto refused = [&](const JobChange& change) {
    const auto job = jobs.add(sushi.id, change);
    return job ? std::string() : job.error().message;
  };
  EXPECT_THAT(refused(wanted(" ", "@daily")), HasSubstr("needs a command"));
  EXPECT_THAT(refused(wanted("x", "61 * * * *")), HasSubstr("minute"));
  EXPECT_THAT(refused(wanted("x", "0 0 31 2 *")), HasSubstr("never due"));
  auto on_mars = wanted("x", "@daily");
  on_mars.time_zone = "Mars/Olympus";
  EXPECT_THAT(refused(on_mars), HasSubstr("time zone"));
  auto huge = wanted("x", "@daily");
  huge.size = "huge";
  EXPECT_THAT(refused(huge), HasSubstr("size"));
  for (std::size_t i = 0; i < Jobs::most_jobs; ++i) add("@daily", "x");
  EXPECT_THAT(refused(wanted("x", "@daily")), HasSubstr("at most 100"));
}

TEST_F(SchedulerTest, ChangesAndForgets) {
  const auto job = add("@daily", "exit 0");
  const auto changed = jobs.change(job, wanted("exit 1", "hourly at 5")).value();
  EXPECT_EQ(rfc3339(*changed.next_at), "2026-01-05T10:05:00Z");
  jobs.run_now(job);
  jobs.remove(job);
  advance(24h);
  scheduler->pass();
  EXPECT_TRUE(engine.ran().empty());
  EXPECT_FALSE(jobs.find(sushi.id, job.id.value));
}

TEST_F(SchedulerTest, WorksOnItsOwnThread) {
  jobs.on_change([&] { scheduler->poke(); });
  dynos::EngineEvents events;
  events.on_change = [&](const dynos::Dyno& dyno) { scheduler->dyno_changed(dyno); };
  engine.set_events(events);
  scheduler->start();
  const auto job = add("@daily", "exit 0");
  jobs.run_now(job);
  for (int i = 0; i < 2'000 && states(job) != std::vector<std::string>{"succeeded"}; ++i)
    std::this_thread::sleep_for(5ms);
  EXPECT_THAT(states(job), ElementsAre("succeeded"));
  scheduler.reset();
}

}  // namespace
}  // namespace renga::scheduler

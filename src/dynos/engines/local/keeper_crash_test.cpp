// Control is killed at every step of a story, one run a step, and comes back: nothing is lost,
// nothing runs twice, and the machine ends up as if nothing had happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dynos/testing/keeper_world.h"

namespace renga::dynos {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

const ProcessSpec worker{"worker", "work", 1, "Standard-1X"};

class Story : public KeeperWorld {
 public:
  // Does one thing, with control coming back as often as it takes.
  template <class Act>
  void act(Act thing) {
    try {
      thing();
    } catch (const Killed&) {
      kills += 1;
      machine.kill_at = 0;
      to_retire.clear();  // the router's word to the old control is lost
      boot();
    }
    check();
  }

  // No two workers of a number at any time; nobody was launched twice.
  void check() {
    int workers = 0;
    for (const auto& name : machine.names())
      if (name.starts_with("worker.1@")) ++workers;
    EXPECT_LE(workers, 1);
    for (const auto& [id, times] : machine.starts) EXPECT_EQ(times, 1) << id;
  }

  void run_job() {
    Records records(database);
    if (records.find({"job"})) return;
    auto record = new_record({"job"}, *spec, "run", 4711, "rake", "Standard-1X", clock.now());
    record.one_off = true;
    records.insert(record);
    machine.step();
    ASSERT_TRUE(keeper->run(*spec, record, {}));
  }

  void play() {
    act([&] { apply(release(3, {{"web", "serve", 2, "Standard-1X"}, worker})); });
    act([&] { pass(seconds(1)); });
    act([&] { run_job(); });
    run_job();  // whoever had no answer asks again
    act([&] { apply(release(4, {{"web", "serve", 3, "Standard-1X"}, worker})); });
    act([&] { pass(seconds(1)); });
    act([&] {
      if (machine.sandboxes.contains("job")) machine.end("job", 5);
      settle();
    });
    act([&] { crash("worker.1@v4", 1); });
    act([&] { pass(seconds(40)); });
    act([&] {
      Records(database).ask(app, "web", 1, Asked::replace);
      machine.step();
      keeper->asked(app);
      settle();
    });
    act([&] { pass(seconds(40)); });
    act([&] { apply(release(4, {{"web", "serve", 1, "Standard-1X"}, worker})); });
    act([&] { pass(seconds(40)); });
  }

  int kills = 0;
};

TEST(KeeperCrash, EndsUpRightWhereverControlIsKilled) {
  Story undisturbed;
  undisturbed.play();
  ASSERT_EQ(undisturbed.kills, 0);
  ASSERT_GT(undisturbed.machine.steps, 50);

  for (int step = 1; step <= undisturbed.machine.steps; ++step) {
    SCOPED_TRACE("killed at step " + std::to_string(step));
    Story story;
    story.machine.kill_at = story.machine.steps + step;
    story.play();
    EXPECT_EQ(story.kills, 1);
    EXPECT_THAT(story.machine.names(), ElementsAre("web.1@v4", "worker.1@v4"));
    EXPECT_THAT(story.shown(), ElementsAre("web.1@v4 up", "worker.1@v4 up"));
    EXPECT_THAT(story.served(), ElementsAre("web.1"));
    EXPECT_EQ(story.machine.sandboxes.size(), 2U);  // and nothing is left behind
    EXPECT_EQ(Records(story.database).find({"job"})->dyno.exit_status, 5);
    if (testing::Test::HasFailure()) break;
  }
}

TEST(KeeperCrash, AllComesBackAfterTheMachineDoes) {
  Story story;
  story.apply(story.release(3, {{"web", "serve", 2, "Standard-1X"}, worker}));
  story.pass(seconds(1));
  story.machine.lose_all();
  // Another boot of the kernel.
  story.database.run("UPDATE local_dynos SET boot = 'earlier'");
  story.boot();
  story.pass(seconds(1));
  EXPECT_THAT(story.machine.names(), ElementsAre("web.1@v3", "web.2@v3", "worker.1@v3"));
  EXPECT_EQ(story.machine.sandboxes.size(), 3U);
  for (const auto& record : Records(story.database).all()) EXPECT_EQ(record.crashes, 0);
}

}  // namespace
}  // namespace renga::dynos

#include "dynos/reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "base/testing/fake_clock.h"
#include "dynos/testing/fake_engine.h"
#include "dynos/testing/platform.h"

namespace renga::dynos {
namespace {

using releases::Status;
using testing::HasSubstr;

struct Clockwork {
  FakeClock fake_clock_;
};

class ReconcilerTest : public testing::Test, private Clockwork, protected Platform {
 protected:
  ReconcilerTest() : Platform(fake_clock_) { boot(); }

  // Control starts, for the first time or again; the engine's dynos are as they were.
  void boot() {
    reconciler.emplace(database, fake_clock_, apps, domains, releases, slugs, formation, engine,
                       logs, outputs);
    hears = &*reconciler;
    releases.on_change([this](const releases::Release& release) {
      if (auto* const it = hears.load()) it->release_changed(release);
    });
    formation.on_change([this](const Id<apps::App>& app) { reconciler->formation_changed(app); });
    EngineEvents events;
    events.on_change = [this](const Dyno& dyno) {
      if (auto* const it = hears.load()) it->dyno_changed(dyno);
    };
    engine.set_events(events);
    reconciler->start();
  }
  void die() {
    hears = nullptr;
    reconciler.reset();
  }

  // The reconciler works on a thread of its own.
  bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 2);
    }
    return true;
  }
  bool runs(const releases::Release& release) {
    return eventually([&] {
      const auto applied = engine.applied(sushi.id);
      return applied && applied->release == release.id;
    });
  }
  Status status(const releases::Release& release) { return releases.find(release.id)->status; }
  Id<Dyno> command_of(const releases::Release& release) { return {release.id.value}; }
  bool command_runs(const releases::Release& release) {
    return eventually([&] { return engine.one_off(command_of(release)).has_value(); });
  }

  FakeEngine engine{fake_clock_};
  std::atomic<Reconciler*> hears{nullptr};
  std::optional<Reconciler> reconciler;
};

TEST_F(ReconcilerTest, ANewAppRunsNothing) {
  ASSERT_TRUE(engine.started());
  EXPECT_FALSE(engine.applied(sushi.id)->slug);
}

TEST_F(ReconcilerTest, ADeployRunsOneWebDyno) {
  const auto release = deploy(slug({{"web", "serve"}, {"worker", "work"}}));
  // The formation is there as soon as the release is.
  EXPECT_EQ(formation.find(sushi.id, "web")->quantity, 1);
  ASSERT_TRUE(runs(release));
  const ProcessSpec web{"web", "serve", 1, "Standard-1X"};
  const ProcessSpec worker{"worker", "work", 0, "Standard-1X"};
  EXPECT_THAT(engine.applied(sushi.id)->processes, testing::ElementsAre(web, worker));
}

TEST_F(ReconcilerTest, RequestsWaitForDynosThatTheEngineHasNotHeardOf) {
  hears = nullptr;  // the moment after the release is written, and before anybody acts on it
  const auto release = deploy(slug({{"web", "serve"}, {"worker", "work"}}));
  ASSERT_FALSE(formation.find(sushi.id, "web"));
  Endpoints on_their_way;
  on_their_way.starting = true;
  on_their_way.web_quantity = 1;
  EXPECT_EQ(reconciler->endpoints_of(sushi, release), on_their_way);
  EXPECT_FALSE(formation.find(sushi.id, "web")) << "asking changes nothing";
}

TEST_F(ReconcilerTest, RequestsDoNotWaitForWebDynosThatNobodyAskedFor) {
  hears = nullptr;
  EXPECT_EQ(reconciler->endpoints_of(sushi, releases.current(sushi.id)), Endpoints());
  EXPECT_EQ(reconciler->endpoints_of(sushi, deploy(slug({{"worker", "work"}}))), Endpoints());
  hears = &*reconciler;
  const auto release = deploy(slug({{"web", "serve"}}));
  const std::vector<ScaleChange> none = {{"web", "0", ""}};
  ASSERT_TRUE(formation.scale(sushi.id, none));
  ASSERT_TRUE(eventually([&] { return engine.endpoints(sushi.id).web_quantity == 0; }));
  EXPECT_EQ(reconciler->endpoints_of(sushi, release).web_quantity, 0);
  EXPECT_FALSE(reconciler->endpoints_of(sushi, release).starting);
}

TEST_F(ReconcilerTest, ScalingReachesTheEngine) {
  ASSERT_TRUE(runs(deploy(slug({{"web", "serve"}}))));
  const std::vector<ScaleChange> two{{"web", "2", ""}};
  ASSERT_TRUE(formation.scale(sushi.id, two));
  EXPECT_TRUE(eventually([&] { return engine.dynos(sushi.id).size() == 2; }));
}

TEST_F(ReconcilerTest, TheEnvironmentHasConfigVarsAndThePlatformsOwn) {
  const auto release = deploy(slug({{"web", "serve"}}));
  ASSERT_TRUE(releases.set_config(sushi.id, ada.id, {{"GREETING", "hello"}}));
  const auto now = releases.current(sushi.id);
  const std::map<std::string, std::string> expected{
      {"GREETING", "hello"},
      {"HEROKU_APP_NAME", "sushi"},
      {"HEROKU_APP_ID", sushi.id.value},
      {"HEROKU_APP_DEFAULT_DOMAIN_NAME", "sushi.localhost"},
      {"HEROKU_RELEASE_VERSION", "v4"},
      {"HEROKU_RELEASE_CREATED_AT", "2026-01-05T10:00:00Z"},
      {"HEROKU_SLUG_COMMIT", "e6442b7c0a"},
      {"HEROKU_SLUG_DESCRIPTION", "Deploy e6442b7c"}};
  EXPECT_EQ(reconciler->spec_of(sushi, now).env, expected);
  EXPECT_FALSE(reconciler->spec_of(sushi, release).env.contains("GREETING"));
}

TEST_F(ReconcilerTest, AReleaseCommandDecidesWhetherTheReleaseRuns) {
  const auto first = deploy(slug({{"web", "serve"}}));
  ASSERT_TRUE(runs(first));
  const auto good = deploy(slug({{"web", "serve"}, {"release", "exit 0"}}));
  ASSERT_TRUE(runs(good));
  EXPECT_EQ(status(good), Status::succeeded);

  const auto bad = deploy(slug({{"web", "serve"}, {"release", "exit 1"}}));
  ASSERT_TRUE(eventually([&] { return status(bad) == Status::failed; }));
  EXPECT_EQ(engine.applied(sushi.id)->release, good.id);
  EXPECT_THAT(log(), HasSubstr("app[api]: Running release v5 commands by user ada@example.com"));
}

TEST_F(ReconcilerTest, TheOutputStreamIsThereBeforeTheCommandAndEndsWithIt) {
  const auto release = deploy(slug({{"web", "serve"}, {"release", "migrate"}}));
  ASSERT_TRUE(command_runs(release));
  const auto stream = releases.find(release.id)->output_stream;
  ASSERT_TRUE(stream);
  ASSERT_EQ(engine.ran().size(), 1U);
  EXPECT_EQ(engine.ran()[0].output_stream, *stream);
  EXPECT_EQ(engine.ran()[0].type, "release");
  EXPECT_EQ(engine.ran()[0].time_to_live, std::chrono::hours(1));
  EXPECT_FALSE(outputs.finished(*stream));
  engine.end_one_off(command_of(release), 0);
  ASSERT_TRUE(runs(release));
  EXPECT_TRUE(outputs.finished(*stream));
}

TEST_F(ReconcilerTest, ReleaseCommandsWaitForOneAnother) {
  const auto built = slug({{"web", "serve"}, {"release", "migrate"}});
  const auto first = deploy(built);
  const auto second = deploy(built);
  ASSERT_TRUE(command_runs(first));
  EXPECT_FALSE(engine.one_off(command_of(second)));
  engine.end_one_off(command_of(first), 0);
  ASSERT_TRUE(command_runs(second));
  engine.end_one_off(command_of(second), 0);
  ASSERT_TRUE(runs(second));
  EXPECT_EQ(status(first), Status::succeeded);
}

TEST_F(ReconcilerTest, ACommandThatRunsIsFoundAgainAfterACrash) {
  const auto release = deploy(slug({{"web", "serve"}, {"release", "migrate"}}));
  ASSERT_TRUE(command_runs(release));
  die();
  boot();
  EXPECT_EQ(engine.ran().size(), 1U);
  die();
  engine.end_one_off(command_of(release), 0);  // while control is away
  boot();
  ASSERT_TRUE(runs(release));
  EXPECT_EQ(engine.ran().size(), 1U);
  EXPECT_EQ(status(release), Status::succeeded);
}

TEST_F(ReconcilerTest, ATypeThatWasScaledIsNotTakenForOneOfAnOlderRelease) {
  const auto without = slug({{"web", "serve"}});
  const auto with = slug({{"web", "serve"}, {"worker", "work"}});
  const std::vector<ScaleChange> three = {{"worker", "3", ""}};
  const std::jthread late_news([&](std::stop_token end) {
    while (!end.stop_requested()) reconciler->release_changed(releases.current(sushi.id));
  });
  for (int i = 0; i < 50; ++i) {
    deploy(without);
    deploy(with);
    ASSERT_TRUE(formation.scale(sushi.id, three)) << i;
    ASSERT_EQ(formation.find(sushi.id, "worker")->quantity, 3) << i;
  }
}

TEST_F(ReconcilerTest, WhatWasMissedWhileAwayIsCaughtUpAtTheStart) {
  die();
  formation.on_change([](const Id<apps::App>&) {});
  const auto release = deploy(slug({{"web", "serve"}}));
  ASSERT_FALSE(formation.find(sushi.id, "web")) << "as after a kill right behind the commit";
  boot();  // all apps are gone through before it returns
  EXPECT_EQ(formation.find(sushi.id, "web")->quantity, 1);
  EXPECT_EQ(engine.applied(sushi.id)->release, release.id);
  EXPECT_EQ(engine.dynos(sushi.id).size(), 1U);
}

}  // namespace
}  // namespace renga::dynos

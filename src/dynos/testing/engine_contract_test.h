// What every engine must do, whatever runs the processes behind it. An engine's tests include this,
// make an EngineHouse, and instantiate EngineContract with it. The commands run on a real engine as
// they are.
#pragma once

#include "dynos/testing/engine_contract.h"

namespace renga::dynos {

TEST_P(EngineContract, RunsWhatIsApplied) {
  engine().apply(spec(1, {web(1), worker(2)}));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up", "worker.2@v1 up"}));
  // What the router is told follows what is written down, a moment later.
  ASSERT_TRUE(eventually([&] { return engine().endpoints(house->app()).up.size() == 1; }));
  const auto endpoints = engine().endpoints(house->app());
  EXPECT_EQ(endpoints.up[0].dyno_name, "web.1");
  EXPECT_EQ(endpoints.web_quantity, 1);
  EXPECT_TRUE(house->answers(endpoints.up[0]));
}

TEST_P(EngineContract, ApplyingTwiceChangesNothing) {
  engine().apply(spec(1, {web(1)}));
  ASSERT_TRUE(becomes({"web.1@v1 up"}));
  const auto before = ids();
  engine().apply(spec(1, {web(1)}));
  engine().apply(spec(1, {web(1), worker(1)}));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
  for (const auto& id : before) EXPECT_TRUE(ids().contains(id));
}

TEST_P(EngineContract, ScalesUpAndDown) {
  engine().apply(spec(1, {worker(1)}));
  ASSERT_TRUE(becomes({"worker.1@v1 up"}));
  const auto first = ids();
  engine().apply(spec(1, {worker(3)}));
  ASSERT_TRUE(becomes({"worker.1@v1 up", "worker.2@v1 up", "worker.3@v1 up"}));
  engine().apply(spec(1, {worker(1)}));
  ASSERT_TRUE(becomes({"worker.1@v1 up"}));
  EXPECT_EQ(ids(), first);
  engine().apply(spec(1, {}));
  ASSERT_TRUE(becomes({}));
}

TEST_P(EngineContract, RunsNothingWithoutASlug) {
  auto empty = spec(1, {web(1)});
  empty.slug.reset();
  engine().apply(empty);
  EXPECT_TRUE(becomes({}));
  EXPECT_EQ(engine().endpoints(house->app()).web_quantity, 0);
  EXPECT_EQ(engine().run(empty, one_off("exit 0")).error().kind, Kind::conflict);
}

TEST_P(EngineContract, ReplacesDynosWhenAReleaseComes) {
  engine().apply(spec(1, {web(1), worker(1)}));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
  engine().apply(spec(2, {web(1), worker(1)}));
  ASSERT_TRUE(becomes({"web.1@v2 up", "worker.1@v2 up"}));
  EXPECT_TRUE(eventually([&] {
    const auto endpoints = engine().endpoints(house->app());
    return endpoints.up.size() == 1 && house->answers(endpoints.up[0]);
  }));
}

TEST_P(EngineContract, TellsWhichReleasesAreInUse) {
  const auto in_use = [this] {
    std::set<Id<releases::Release>> all;
    for (auto& release : engine().releases_in_use()) all.insert(std::move(release));
    return all;
  };
  const auto first = spec(1, {worker(2)}), second = spec(2, {worker(1)});
  EXPECT_TRUE(in_use().empty());
  engine().apply(first);
  ASSERT_TRUE(becomes({"worker.1@v1 up", "worker.2@v1 up"}));
  EXPECT_EQ(in_use(), std::set{first.release});
  engine().apply(second);
  ASSERT_TRUE(becomes({"worker.1@v2 up"}));
  EXPECT_TRUE(eventually([&] { return in_use() == std::set{second.release}; }));
}

TEST_P(EngineContract, RestartsByTypeAndByName) {
  engine().apply(spec(1, {web(1), worker(1)}));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
  auto before = ids();
  ASSERT_TRUE(engine().restart(house->app(), "web.1"));
  ASSERT_TRUE(eventually([&] { return shown().size() == 2 && ids() != before; }));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
  before = ids();
  ASSERT_TRUE(engine().stop(house->app(), "worker"));
  ASSERT_TRUE(eventually([&] { return shown().size() == 2 && ids() != before; }));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
}

TEST_P(EngineContract, RefusesToRestartWhatIsNotThere) {
  engine().apply(spec(1, {worker(0)}));
  EXPECT_TRUE(engine().restart(house->app(), ""));
  EXPECT_TRUE(engine().restart(house->app(), "worker"));
  EXPECT_EQ(engine().restart(house->app(), "clock").error().kind, Kind::not_found);
  EXPECT_EQ(engine().stop(house->app(), "worker.7").error().kind, Kind::not_found);
}

TEST_P(EngineContract, AOneOffRunsOnceAndItsStatusIsKept) {
  engine().apply(spec(1, {}));
  const auto job = one_off("exit 3");
  const auto dyno = engine().run(spec(1, {}), job);
  ASSERT_TRUE(dyno) << dyno.error().message;
  EXPECT_EQ(dyno->id, job.id);
  EXPECT_EQ(dyno->type, "run");
  EXPECT_GE(dyno->number, 1'000);
  ASSERT_TRUE(engine().run(spec(1, {}), job));
  ASSERT_TRUE(eventually([&] {
    const auto now = engine().one_off(job.id);
    return now && now->exit_status == 3;
  }));
  EXPECT_TRUE(becomes({}));
  EXPECT_FALSE(engine().one_off(Id<Dyno>::create()));
}

TEST_P(EngineContract, AOneOffThatIsStoppedDoesNotComeBack) {
  engine().apply(spec(1, {}));
  const auto dyno = engine().run(spec(1, {}), one_off("sleep 600"));
  ASSERT_TRUE(dyno) << dyno.error().message;
  ASSERT_TRUE(engine().stop(house->app(), dyno->name()));
  ASSERT_TRUE(eventually([&] { return engine().one_off(dyno->id)->exit_status == 143; }));
  EXPECT_TRUE(becomes({}));
}

TEST_P(EngineContract, AnAttachedOneOffWaitsForItsClientAndHasOne) {
  engine().apply(spec(1, {}));
  auto job = one_off("sleep 600");
  job.attached = true;
  EXPECT_EQ(engine().attach(job.id, Window()).error().kind, Kind::not_found);
  ASSERT_TRUE(engine().run(spec(1, {}), job));
  EXPECT_EQ(engine().one_off(job.id)->state, State::starting);
  const auto attached = engine().attach(job.id, Window());
  EXPECT_TRUE(attached && attached->input && attached->output);
  ASSERT_TRUE(eventually([&] { return engine().one_off(job.id)->state == State::up; }));
  EXPECT_EQ(engine().attach(job.id, std::nullopt).error().kind, Kind::not_found);
  const auto beside = engine().exec(spec(1, {}), job.id, Exec{"sleep 600", {}, {}, 0});
  EXPECT_TRUE(beside && beside->leash);
  ASSERT_TRUE(engine().stop(house->app(), engine().one_off(job.id)->name()));
  EXPECT_TRUE(becomes({}));
}

TEST_P(EngineContract, ForgettingAnAppStopsAllOfIt) {
  engine().apply(spec(1, {web(1)}));
  const auto dyno = engine().run(spec(1, {}), one_off("sleep 600"));
  ASSERT_TRUE(dyno);
  engine().forget(house->app());
  EXPECT_THAT(engine().dynos(house->app()), testing::IsEmpty());
  EXPECT_EQ(engine().endpoints(house->app()).web_quantity, 0);
}

TEST_P(EngineContract, StoppingEverythingLeavesNothing) {
  engine().apply(spec(1, {web(1), worker(1)}));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
  engine().stop_everything();
  EXPECT_THAT(engine().dynos(house->app()), testing::IsEmpty());
}

}  // namespace renga::dynos

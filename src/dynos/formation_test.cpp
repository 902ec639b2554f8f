#include "dynos/formation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "accounts/migrations.h"
#include "apps/migrations.h"
#include "base/testing/fake_clock.h"
#include "dynos/migrations.h"

namespace renga::dynos {
namespace {

using testing::ElementsAre;

class FormationTest : public testing::Test {
 protected:
  FormationTest() {
    database.migrate(accounts::migrations());
    database.migrate(apps::migrations());
    database.migrate(migrations());
    const auto owner = accounts::Accounts(database, clock).create("a@example.com", "A", true);
    sushi = apps::Apps(database, clock, {"host"}).create(*owner, {"sushi", ""})->id;
    formation.on_change([this](const Id<apps::App>& app) { told.push_back(app); });
  }
  std::vector<std::string> running() {
    std::vector<std::string> all;
    for (const auto& process : formation.all(sushi))
      all.push_back(process.type + "=" + std::to_string(process.quantity) + ":" + process.size);
    return all;
  }
  Result<std::vector<Process>> scale(std::vector<ScaleChange> changes) {
    return formation.scale(sushi, changes);
  }

  FakeClock clock;
  store::Database database{":memory:"};
  Formation formation{database, clock};
  Id<apps::App> sushi;
  std::vector<Id<apps::App>> told;
};

TEST_F(FormationTest, TheFirstDeployRunsOneWebDynoAndNothingElse) {
  formation.follow(sushi, {{"clock", "tick"}, {"release", "migrate"}, {"web", "serve"}});
  EXPECT_THAT(running(),
              ElementsAre("web=1:Standard-1X", "clock=0:Standard-1X", "release=0:Standard-1X"));
}

TEST_F(FormationTest, FollowingTwiceChangesNothing) {
  formation.follow(sushi, {{"web", "serve"}});
  const auto before = formation.all(sushi);
  clock.advance(std::chrono::hours(1));
  formation.follow(sushi, {{"web", "serve"}});
  EXPECT_EQ(formation.all(sushi), before);
}

TEST_F(FormationTest, LaterTypesStartAtZeroAndGoneOnesAreDropped) {
  formation.follow(sushi, {{"worker", "work"}});
  ASSERT_TRUE(scale({{"worker", "3", ""}}));
  formation.follow(sushi, {{"web", "serve"}, {"worker", "work harder"}});
  EXPECT_THAT(running(), ElementsAre("web=0:Standard-1X", "worker=3:Standard-1X"));
  EXPECT_EQ(formation.find(sushi, "worker")->command, "work harder");
  formation.follow(sushi, {{"web", "serve"}});
  EXPECT_THAT(running(), ElementsAre("web=0:Standard-1X"));
}

TEST_F(FormationTest, ScalesToBySignAndBySize) {
  formation.follow(sushi, {{"web", "serve"}, {"worker", "work"}});
  const auto changed = scale({{"web", "+2", "standard-2x"}, {"worker", "1", ""}});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->size(), 2U);
  EXPECT_THAT(running(), ElementsAre("web=3:Standard-2X", "worker=1:Standard-1X"));
  ASSERT_TRUE(scale({{"web", "-1", ""}}));
  EXPECT_THAT(running(), ElementsAre("web=2:Standard-2X", "worker=1:Standard-1X"));
  EXPECT_THAT(told, ElementsAre(sushi, sushi));
}

TEST_F(FormationTest, OneRefusedChangeLeavesAllAsItWas) {
  formation.follow(sushi, {{"web", "serve"}});
  const auto refused = scale({{"web", "5", ""}, {"clock", "1", ""}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::not_found);
  EXPECT_EQ(refused.error().message, "Couldn't find that process type (clock).");
  EXPECT_THAT(running(), ElementsAre("web=1:Standard-1X"));
  EXPECT_TRUE(told.empty());
}

TEST_F(FormationTest, RefusesQuantitiesAndSizesThatCannotBe) {
  formation.follow(sushi, {{"web", "serve"}, {"release", "migrate"}});
  for (const auto* quantity : {"-2", "101", "many", "1.5", "99999999999999999999"})
    EXPECT_EQ(scale({{"web", quantity, ""}}).error().kind, Kind::invalid) << quantity;
  EXPECT_EQ(scale({{"web", "", "huge"}}).error().kind, Kind::invalid);
  EXPECT_EQ(scale({{"release", "1", ""}}).error().kind, Kind::invalid);
  EXPECT_TRUE(scale({{"release", "0", "Performance-M"}}));
}

TEST_F(FormationTest, FindsByTypeAndById) {
  formation.follow(sushi, {{"web", "serve"}});
  const auto web = formation.find(sushi, "web");
  ASSERT_TRUE(web);
  EXPECT_EQ(formation.find(sushi, web->id.value)->type, "web");
  EXPECT_EQ(formation.find(sushi, "nope").error().kind, Kind::not_found);
}

TEST_F(FormationTest, TellsOfMoreMemoryThanTheMachineHas) {
  Formation small(database, clock, Sizes::usual(), {.memory_bytes = 2LL << 30});
  small.follow(sushi, {{"web", "serve"}});
  EXPECT_FALSE(small.overcommitted());
  ASSERT_TRUE(small.scale(sushi, std::vector<ScaleChange>{{"web", "5", ""}}));
  const auto warning = small.overcommitted();
  ASSERT_TRUE(warning);
  EXPECT_NE(warning->find("2.5 GB of memory together, and this machine has 2.0 GB"),
            std::string::npos);
}

TEST_F(FormationTest, RefusesMoreMemoryThanTheOperatorLetsDynosHave) {
  Formation strict(database, clock, Sizes::usual(), {2LL << 30, 150});
  strict.follow(sushi, {{"web", "serve"}});
  ASSERT_TRUE(strict.scale(sushi, std::vector<ScaleChange>{{"web", "6", ""}}));
  const auto refused = strict.scale(sushi, std::vector<ScaleChange>{{"web", "", "standard-2x"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::invalid);
  EXPECT_EQ(strict.find(sushi, "web")->size, "Standard-1X");
  // Down is always allowed, from wherever one is.
  Formation stricter(database, clock, Sizes::usual(), {1LL << 30, 100});
  EXPECT_TRUE(stricter.scale(sushi, std::vector<ScaleChange>{{"web", "5", ""}}));
}

TEST_F(FormationTest, HasTheOperatorsSizes) {
  const auto sizes = Sizes::parse("Small 128MB 1 64\nBig 2GB 4 512\n").value();
  Formation own(database, clock, sizes);
  own.follow(sushi, {{"web", "serve"}});
  EXPECT_EQ(own.find(sushi, "web")->size, "Small");
  ASSERT_TRUE(own.scale(sushi, std::vector<ScaleChange>{{"web", "", "big"}}));
  EXPECT_EQ(own.find(sushi, "web")->size, "Big");
  EXPECT_FALSE(own.scale(sushi, std::vector<ScaleChange>{{"web", "", "standard-1x"}}));
}

}  // namespace
}  // namespace renga::dynos

#include "pipelines/promotions.h"

#include <gmock/gmock.h>

#include "pipelines/migrations.h"
#include "releases/testing/house.h"

namespace renga::pipelines {
namespace {

using testing::HasSubstr;

class PromotionsTest : public releases::House {
 protected:
  PromotionsTest() {
    for (const auto& app : {sushi, maki}) releases.append_first(app.id, ada.id);
    releases.on_change([this](const releases::Release& r) { promotions.release_changed(r); });
    couple(sushi, Stage::staging);
    couple(maki, Stage::production);
  }
  apps::App make(const std::string& name, Stage stage = Stage::production) {
    auto app = apps.create(ada, {name, ""}).value();
    releases.append_first(app.id, ada.id);
    couple(app, stage);
    return app;
  }
  void couple(const apps::App& app, Stage stage) {
    ASSERT_TRUE(pipelines.couple(line, app, stage));
  }
  releases::Slug deploy(releases::ProcessTypes types = {{"web", "bin/web"}}) {
    auto slug = slugs.create(wanted(sushi, std::move(types)), build("one")).value();
    const auto release = releases.append(sushi.id, {.description = "Deploy e6442b7c",
                                                    .user = ada.id,
                                                    .slug = slug.id,
                                                    .config = {},
                                                    .deploy = true});
    releases.finish(release.id, releases::Status::succeeded);
    return slug;
  }
  Result<Promotion> promote(std::vector<std::string> targets, const std::string& source = "sushi") {
    return promotions.promote(ada, line, {source, "", std::move(targets)});
  }
  void expect_refused(const Result<Promotion>& result, const std::string& why) {
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr(why));
    EXPECT_EQ(database.first("SELECT count(*) FROM promotions",
                             [](const store::Row& row) { return row.integer(0); }),
              0);
  }

  crypto::SecretBox box;
  releases::Releases releases{database, clock, apps, slugs, box};
  bool tables = (database.migrate(migrations()), true);
  Pipelines pipelines{database, clock, apps, box};
  Promotions promotions{database, clock, apps, pipelines, releases, slugs};
  Pipeline line = pipelines.create(ada, "food").value();
};

TEST_F(PromotionsTest, ReleasesTheVerySlugWithTheTargetsOwnConfig) {
  const auto slug = deploy();
  ASSERT_TRUE(releases.set_config(maki.id, ada.id, {{"ENVIRONMENT", "production"}}));
  ASSERT_TRUE(releases.set_config(sushi.id, ada.id, {{"ENVIRONMENT", "staging"}}));
  const auto promotion = promote({"maki"}).value();
  EXPECT_TRUE(promotion.completed);
  const auto current = releases.current(maki.id);
  EXPECT_EQ(current.slug, slug.id);
  EXPECT_EQ(current.description, "Promote sushi v4 e6442b7c");
  EXPECT_EQ(releases.config(current), (apps::ConfigVars{{"ENVIRONMENT", "production"}}));
  const auto targets = promotions.targets(promotion.id);
  ASSERT_EQ(targets.size(), 1u);
  EXPECT_EQ(targets[0].status, TargetStatus::succeeded);
  EXPECT_EQ(targets[0].release, current.id);
  EXPECT_EQ(apps.find(maki.id)->slug_size, slug.size);
}

TEST_F(PromotionsTest, WaitsForEachTargetsReleaseCommand) {
  deploy({{"web", "bin/web"}, {"release", "bin/migrate"}});
  const auto nori = make("nori");
  const auto id = promote({"maki", "nori"})->id;
  auto targets = promotions.targets(id);
  EXPECT_EQ(targets[0].status, TargetStatus::pending);
  releases.finish(*targets[0].release, releases::Status::failed);
  releases.finish(*targets[1].release, releases::Status::succeeded);
  targets = promotions.targets(id);
  EXPECT_EQ(targets[0].status, TargetStatus::failed);
  EXPECT_EQ(targets[0].error_message, "The release command failed.");
  EXPECT_EQ(targets[1].status, TargetStatus::succeeded);
  EXPECT_TRUE(promotions.find_for(ada, id.value)->completed);
}

TEST_F(PromotionsTest, OneTargetsFailureIsItsOwn) {
  deploy();
  make("nori");
  database.run("UPDATE apps SET build_stack = 'debian-13' WHERE name = 'maki'");
  const auto targets = promotions.targets(promote({"maki", "nori"})->id);
  EXPECT_EQ(targets[0].status, TargetStatus::failed);
  EXPECT_THAT(targets[0].error_message, HasSubstr("maki is set to debian-13"));
  EXPECT_FALSE(targets[0].release);
  EXPECT_EQ(targets[1].status, TargetStatus::succeeded);
}

TEST_F(PromotionsTest, RefusesWhatCannotBeMeant) {
  expect_refused(promote({"maki"}), "nothing to promote");
  deploy();
  expect_refused(promote({"sushi"}), "to itself");
  expect_refused(promote({"maki", "maki"}), "named twice");
  expect_refused(promote({}), "`targets` is empty");
  expect_refused(promote({"nothing"}), "Couldn't find that app");
  apps.create(ada, {"loose", ""}).value();
  expect_refused(promote({"loose"}), "not in the pipeline");
  expect_refused(promote({"maki"}, "loose"), "not in the pipeline");
  const auto eve = people.create("eve@example.com", "Eve", false).value();
  ASSERT_TRUE(apps.set_owner(maki.id, eve));
  expect_refused(promote({"maki"}), "different owners");
  ASSERT_TRUE(apps.remove_collaborator(maki.id, "ada@example.com"));
  expect_refused(promote({"maki"}), "Couldn't find that app");
}

// As kill -9 leaves it: the rows are there, and some of the releases.
TEST_F(PromotionsTest, CarriesOnAfterACrash) {
  const auto slug = deploy();
  const auto nori = make("nori");
  const auto id = promote({"maki", "nori"})->id;
  const auto before = promotions.targets(id);
  // maki's release was made and not noted; nori's was not made.
  database.run("UPDATE promotion_targets SET status = 'pending'");
  database.run("DELETE FROM releases WHERE id = ?", *before[1].release);
  EXPECT_FALSE(promotions.find_for(ada, id.value)->completed);

  promotions.resume();
  EXPECT_EQ(releases.newest(maki.id).version, 3);
  EXPECT_EQ(releases.newest(nori.id).id, *before[1].release);
  EXPECT_EQ(releases.newest(nori.id).slug, slug.id);
  EXPECT_TRUE(promotions.find_for(ada, id.value)->completed);
  promotions.resume();
  EXPECT_EQ(releases.newest(nori.id).version, 3);
}

class PipelinesTest : public PromotionsTest {};

TEST_F(PipelinesTest, RefusesNamesAndSecondOnes) {
  for (const auto* name :
       {"", "ab", "Food", "9lives", "a b c", "a_b_c", "a123456789012345678901234567890"})
    EXPECT_EQ(pipelines.create(ada, name).error().kind, Kind::invalid) << name;
  EXPECT_EQ(pipelines.create(ada, "food").error().kind, Kind::invalid);
  const auto other = pipelines.create(ada, "drinks").value();
  EXPECT_EQ(pipelines.rename(other.id, "food").error().kind, Kind::invalid);
  EXPECT_EQ(pipelines.rename(other.id, "tea").value().name, "tea");
}

TEST_F(PipelinesTest, CouplesAnAppOnce) {
  const auto again = pipelines.couple(line, sushi, Stage::production);
  EXPECT_THAT(again.error().message, HasSubstr("in the pipeline food already, in staging"));
  ASSERT_TRUE(pipelines.decouple(pipelines.coupling_of(sushi.id)->id));
  EXPECT_TRUE(pipelines.couple(line, sushi, Stage::production));
}

TEST_F(PipelinesTest, BelongToOneOwner) {
  const auto eve = people.create("eve@example.com", "Eve", false).value();
  const auto hers = apps.create(eve, {"hers", ""}).value();
  EXPECT_THAT(pipelines.couple(line, hers, Stage::staging).error().message,
              HasSubstr("different owners"));
  EXPECT_EQ(pipelines.find_for(eve, "food", Access::view).error().kind, Kind::not_found);
  ASSERT_TRUE(apps.add_collaborator(sushi.id, eve));
  EXPECT_TRUE(pipelines.find_for(eve, "food", Access::view));
  EXPECT_EQ(pipelines.find_for(eve, "food", Access::change).error().kind, Kind::forbidden);

  const auto given = pipelines.transfer(line.id, eve).value();
  EXPECT_EQ(given.owner, eve.id);
  EXPECT_EQ(apps.find(sushi.id)->owner, eve.id);
  EXPECT_EQ(apps.find(maki.id)->owner, eve.id);
  EXPECT_TRUE(apps.find_for(ada, "maki", apps::Permission::deploy));
  EXPECT_EQ(apps.find_for(ada, "maki", apps::Permission::manage).error().kind, Kind::forbidden);
}

TEST_F(PipelinesTest, KeepConfigOfAStageSealed) {
  ASSERT_TRUE(pipelines.set_config(line.id, Stage::review, {{"KEY", "correct horse"}}));
  EXPECT_EQ(pipelines.config(line.id, Stage::review), (apps::ConfigVars{{"KEY", "correct horse"}}));
  EXPECT_TRUE(pipelines.config(line.id, Stage::test).empty());
  const auto stored = database.first("SELECT config FROM pipeline_config_vars",
                                     [](const store::Row& row) { return row.text(0); });
  EXPECT_EQ(stored->find("horse"), std::string::npos);
  EXPECT_FALSE(pipelines.set_config(line.id, Stage::review, {{"BAD=NAME", "x"}}));
}

}  // namespace
}  // namespace renga::pipelines

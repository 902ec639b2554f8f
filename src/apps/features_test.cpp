#include "apps/features.h"

#include <gmock/gmock.h>

#include <set>

#include "apps/buildpack_installations.h"
#include "apps/testing/house.h"

namespace renga::apps {
namespace {

class FeaturesTest : public House {
 protected:
  Features features{database, clock};
  App sushi = make("sushi");
};

TEST_F(FeaturesTest, AreAsTheListSaysUntilSomebodySwitchesThem) {
  std::set<std::string> enabled, ids;
  for (const auto& feature : features.all(sushi.id)) {
    EXPECT_TRUE(is_uuid(feature.id)) << feature.name;
    EXPECT_FALSE(feature.description.empty());
    EXPECT_EQ(feature.created_at, sushi.created_at);
    ids.insert(feature.id);
    if (feature.enabled) enabled.insert(feature.name);
  }
  EXPECT_EQ(ids.size(), features.all(sushi.id).size());
  EXPECT_EQ(enabled, (std::set<std::string>{"runtime-dyno-metadata"}));
}

TEST_F(FeaturesTest, AreSwitchedPerApp) {
  const auto maki = make("maki");
  clock.advance(std::chrono::seconds(1));
  const auto on = features.set(sushi.id, "preboot", true);
  ASSERT_TRUE(on);
  EXPECT_TRUE(on->enabled);
  EXPECT_EQ(on->created_at, clock.now());
  EXPECT_FALSE(features.find(maki.id, "preboot")->enabled);

  clock.advance(std::chrono::seconds(1));
  const auto off = features.set(sushi.id, on->id, false);
  EXPECT_FALSE(off->enabled);
  EXPECT_EQ(off->created_at, on->created_at);
  EXPECT_EQ(off->updated_at, clock.now());
}

TEST_F(FeaturesTest, AreRefusedWhenUnknown) {
  EXPECT_EQ(features.find(sushi.id, "flying").error(),
            (Error{Kind::not_found, "Couldn't find that app feature."}));
  EXPECT_EQ(features.set(sushi.id, "flying", true).error().kind, Kind::not_found);
  EXPECT_EQ(features.set({"none"}, "preboot", true).error().kind, Kind::not_found);
}

class BuildpackInstallationsTest : public House {
 protected:
  BuildpackInstallations installations{database};
  App sushi = make("sushi");
};

TEST_F(BuildpackInstallationsTest, KeepTheOrderTheyAreGivenIn) {
  EXPECT_TRUE(installations.all(sushi.id).empty());
  const std::vector<std::string> urls{"heroku/nodejs", "urn:buildpack:heroku/python",
                                      "https://github.com/me/mine.git#main"};
  const auto set = installations.replace(sushi.id, urls);
  ASSERT_TRUE(set);
  EXPECT_EQ(installations.all(sushi.id), *set);
  ASSERT_EQ(set->size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto& installation = (*set)[static_cast<std::size_t>(i)];
    EXPECT_EQ(installation.ordinal, i);
    EXPECT_EQ(installation.url, urls[static_cast<std::size_t>(i)]);
  }
  EXPECT_EQ((*set)[1].name(), "heroku/python");
  EXPECT_TRUE((*set)[0].is_named());
  EXPECT_TRUE((*set)[1].is_named());
  EXPECT_FALSE((*set)[2].is_named());
  EXPECT_EQ((*set)[2].name(), urls[2]);
}

TEST_F(BuildpackInstallationsTest, AreReplacedAllOrNothing) {
  ASSERT_TRUE(installations.replace(sushi.id, {"heroku/python"}));
  EXPECT_FALSE(installations.replace(sushi.id, {"heroku/ruby", "ssh://x/y"}));
  EXPECT_EQ(installations.all(sushi.id)[0].url, "heroku/python");
  ASSERT_TRUE(installations.replace(sushi.id, {}));
  EXPECT_TRUE(installations.all(sushi.id).empty());
  EXPECT_EQ(installations.replace({"none"}, {}).error().kind, Kind::not_found);
}

TEST_F(BuildpackInstallationsTest, RefuseWhatCannotBeFetched) {
  for (const auto* bad : {"", "python", "file://etc", "/", "/a b", "../a/b", "a/b/c", "https://",
                          "https:///x", "git@github.com:me/mine.git", "urn:buildpack:", "-x/y",
                          "https://a b", "../x", "./x", "ext::sh -c x"}) {
    const auto refused = check_buildpack(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_TRUE(refused.error().message.contains("is not a buildpack")) << bad;
  }
  EXPECT_FALSE(installations.replace(sushi.id, std::vector<std::string>(21, "heroku/python")));
}

}  // namespace
}  // namespace renga::apps

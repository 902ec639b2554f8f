#include "apps/uid_ranges.h"

#include "apps/testing/house.h"

namespace renga::apps {
namespace {

class UidRangesTest : public House {
 protected:
  UidRanges ranges{database};
};

TEST_F(UidRangesTest, GivesEachAppARangeOfItsOwnForLife) {
  const auto sushi = make("sushi");
  const auto maki = make("maki");
  EXPECT_EQ(ranges.base(sushi.id), UidRanges::first);
  EXPECT_EQ(ranges.base(maki.id), UidRanges::first + UidRanges::length);
  EXPECT_EQ(ranges.base(sushi.id), UidRanges::first);
}

TEST_F(UidRangesTest, DoesNotGiveADestroyedAppsRangeToTheNextApp) {
  const auto sushi = make("sushi");
  const auto range = ranges.base(sushi.id);
  ASSERT_TRUE(apps.destroy(sushi.id));
  EXPECT_NE(ranges.base(make("sushi").id), range);
}

TEST_F(UidRangesTest, UsesRangesAgainWhenAllWereGivenOut) {
  const auto sushi = make("sushi");
  const auto range = ranges.base(sushi.id);
  database.run("INSERT INTO uid_ranges (slot, app) VALUES (59999, ?)", make("last").id);
  EXPECT_THROW(ranges.base(make("maki").id), std::runtime_error);
  ASSERT_TRUE(apps.destroy(sushi.id));
  EXPECT_EQ(ranges.base(make("nigiri").id), range);
}

TEST_F(UidRangesTest, RefusesARangeForAnAppThatIsNot) {
  EXPECT_ANY_THROW(ranges.base(Id<App>::create()));
}

}  // namespace
}  // namespace renga::apps

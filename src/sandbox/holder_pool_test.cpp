// What is kept ready for whom; the holders themselves are holder_test.cpp's.
#include "sandbox/holder_pool.h"

#include <gtest/gtest.h>

namespace renga::sandbox {
namespace {

const Home home{200'000, "host", "1"}, neighbour{300'000, "host", "1"};
const AppDirectory app{"/slugs/one", "1"}, next_release{"/slugs/two", "1"};

class HolderPoolTest : public testing::Test {
 protected:
  void fill() {
    for (int steps = 0; pool.refill(); ++steps) ASSERT_LT(steps, 100) << "it never has enough";
  }

  int discarded = 0;
  HolderPool pool{12,
                  {.make = [] { return Held(); },
                   .settle = [](Held&, const Home&) {},
                   .prepare = [](Held& held, const AppDirectory& of) { held.app = of; },
                   .discard = [this](Held&) { ++discarded; }}};
};

TEST_F(HolderPoolTest, IsWellStockedWhenAnotherStartOfTheLastAndOneOfAnybodyElseFindOne) {
  EXPECT_FALSE(pool.is_well_stocked()) << "nothing is ready";
  fill();
  EXPECT_FALSE(pool.is_well_stocked()) << "nothing was started, and may be again";

  EXPECT_TRUE(pool.take(home, app));
  EXPECT_FALSE(pool.is_well_stocked()) << "what is left is anybody's";
  fill();
  EXPECT_TRUE(pool.is_well_stocked());
  EXPECT_EQ(pool.take(home, app)->app, app);
  EXPECT_TRUE(pool.is_well_stocked()) << "two are kept of each";
  EXPECT_EQ(pool.take(home, app)->app, app);
  EXPECT_FALSE(pool.is_well_stocked());
}

TEST_F(HolderPoolTest, AReleaseThatHasTakenTheLastOnesPlaceIsNotStocked) {
  pool.take(home, app);
  fill();
  ASSERT_TRUE(pool.is_well_stocked());
  pool.take(home, next_release);
  EXPECT_FALSE(pool.is_well_stocked());
  fill();
  EXPECT_TRUE(pool.is_well_stocked());
  EXPECT_GT(discarded, 0) << "nobody will start the old one";
}

TEST_F(HolderPoolTest, IsNotWellStockedWithNothingForAnybodyElse) {
  pool.take(home, app);
  fill();
  pool.take(neighbour, app);
  fill();
  while (const auto held = pool.take({400'000, "host", "1"}, app)) continue;
  EXPECT_TRUE(pool.take(neighbour, app)) << "one that is settled";
  EXPECT_FALSE(pool.is_well_stocked());
}

}  // namespace
}  // namespace renga::sandbox

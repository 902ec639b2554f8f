#include "dynos/usage.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"
#include "base/testing/fake_clock.h"
#include "logs/testing/scratch.h"

namespace renga::dynos {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class UsageTest : public testing::Test {
 protected:
  UsagePoint point(const std::string& dyno = "web.1", std::int64_t rss = 100) {
    UsagePoint made;
    made.at = clock.now();
    made.dyno = dyno;
    made.id = Id<Dyno>{"11111111-1111-4111-8111-111111111111"};
    made.rss_bytes = rss;
    made.quota_bytes = 512;
    made.cpus = 0.25;
    made.load = 1.5;
    return made;
  }

  FakeClock clock;
  logs::Scratch scratch;
  UsageHistory history{scratch.path / "usage", clock};
  Id<apps::App> app = Id<apps::App>::create(), another = Id<apps::App>::create();
};

TEST_F(UsageTest, KeepsEveryPointOfAnApp) {
  history.add(app, point());
  clock.advance(minutes(90));
  history.add(app, point("worker.1", 7));
  history.add(another, point("web.9"));
  UsageHistory after_a_restart(scratch.path / "usage", clock);
  const auto all = after_a_restart.since(app, {});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1], point("worker.1", 7));
  EXPECT_EQ(all[0].dyno, "web.1");
  EXPECT_EQ(history.since(app, clock.now() - hours(1)).size(), 1U);
}

TEST_F(UsageTest, LetsGoOfWhatIsOlderThanADay) {
  for (int hour = 0; hour < 60; ++hour) {
    history.add(app, point());
    clock.advance(hours(1));
  }
  EXPECT_EQ(history.since(app, {}).size(), 24U);
  const auto files = std::filesystem::directory_iterator(scratch.path / "usage" / app.value);
  EXPECT_LE(std::distance(files, std::filesystem::directory_iterator()), 26);
}

TEST_F(UsageTest, LivesWithALineThatWasCutOff) {
  history.add(app, point());
  for (const auto& file : std::filesystem::directory_iterator(scratch.path / "usage" / app.value))
    std::ofstream(file.path(), std::ios::app) << "17000 web.1 11";
  EXPECT_EQ(history.since(app, {}).size(), 1U);
}

TEST_F(UsageTest, ForgetsAnApp) {
  history.add(app, point());
  history.add(another, point());
  history.forget(app);
  EXPECT_TRUE(history.since(app, {}).empty());
  EXPECT_EQ(history.since(another, {}).size(), 1U);
}

TEST_F(UsageTest, ThinningKeepsTheMostMemoryAndTheMeanOfTheRest) {
  auto first = point("web.1", 100), second = point("web.1", 300);
  first.at = from_micros(600'000'000);
  second.at = first.at + minutes(1);
  second.cpus = 0.75;
  auto later = second;
  later.at = first.at + minutes(10);
  const auto fewer = thinned({first, second, later}, minutes(5));
  ASSERT_EQ(fewer.size(), 2U);
  EXPECT_EQ(fewer[0].rss_bytes, 300);
  EXPECT_EQ(fewer[0].cpus, 0.5);
  EXPECT_EQ(fewer[0].at, second.at);
  EXPECT_EQ(fewer[1], later);
}

}  // namespace
}  // namespace renga::dynos

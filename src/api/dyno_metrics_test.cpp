#include "api/testing/world.h"

namespace renga::api {
namespace {

class DynoMetricsTest : public World {
 protected:
  void use(const std::string& dyno, std::int64_t rss, const std::string& id = "one") {
    dynos::UsagePoint point;
    point.at = clock.now();
    point.dyno = dyno;
    point.id = {id};
    point.rss_bytes = rss;
    point.cache_bytes = 5;
    point.quota_bytes = 512;
    point.cpus = 0.5;
    usage.add(sushi.id, point);
  }
};

TEST_F(DynoMetricsTest, AreOfTheAppsDynosByName) {
  use("worker.1", 9, "two");
  use("web.1", 100);
  clock.advance(std::chrono::minutes(1));
  use("web.1", 200);
  const auto shown = get("/apps/sushi/dyno-metrics");
  EXPECT_EQ(text_at(shown.at("app"), "name"), "sushi");
  EXPECT_EQ(shown.at("step"), 60);
  ASSERT_EQ(shown.at("dynos").as_array().size(), 2U);
  const auto& web = shown.at("dynos").at(0);
  EXPECT_EQ(text_at(web, "name"), "web.1");
  ASSERT_EQ(web.at("points").as_array().size(), 2U);
  const auto& newest = web.at("points").at(1);
  EXPECT_EQ(newest.at("memory_rss"), 200);
  EXPECT_EQ(newest.at("memory_total"), 205);
  EXPECT_EQ(newest.at("memory_quota"), 512);
  EXPECT_EQ(newest.at("cpu").as_double(), 0.5);
}

TEST_F(DynoMetricsTest, AreThinnedWhereMoreHoursAreWanted) {
  for (int minute = 0; minute < 300; ++minute) {
    use("web.1", 100 + minute);
    clock.advance(std::chrono::minutes(1));
  }
  const auto points = [&](const std::string& path) {
    return get(path).at("dynos").at(0).at("points").as_array().size();
  };
  EXPECT_NEAR(static_cast<double>(points("/apps/sushi/dyno-metrics")), 60, 1);
  EXPECT_LE(points("/apps/sushi/dyno-metrics?hours=24"), 61U);
  EXPECT_EQ(points("/apps/sushi/dyno-metrics?hours=24&step=60"), 300U);
}

TEST_F(DynoMetricsTest, RefuseTimesThatCannotBe) {
  for (const auto* query : {"hours=0", "hours=25", "hours=x", "step=1", "step=-60", "step="})
    expect_error(send("GET", std::string("/apps/sushi/dyno-metrics?") + query), 422,
                 "invalid_params");
}

TEST_F(DynoMetricsTest, GoWithTheApp) {
  use("web.1", 100);
  EXPECT_EQ(send("DELETE", "/apps/sushi").status, 200);
  EXPECT_TRUE(usage.since(sushi.id, {}).empty());
}

}  // namespace
}  // namespace renga::api

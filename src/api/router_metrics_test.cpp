#include "api/testing/world.h"

namespace renga::api {
namespace {

class RouterMetricsTest : public World {
 protected:
  // So many requests answered with 2xx, and one that timed out.
  static router::Figures figures(std::uint64_t fine) {
    router::Figures made;
    made.answers[2] = fine;
    made.answers[5] = 1;
    made.errors["H12"] = 1;
    made.bytes_out = 100 * fine;
    for (std::uint64_t i = 0; i <= fine; ++i) made.took.count(std::chrono::milliseconds(4));
    return made;
  }
};

TEST_F(RouterMetricsTest, AreOfTheAppAlone) {
  routed->dynos = {{sushi.id.value, "sushi", "web.2", figures(7)},
                   {sushi.id.value, "sushi", "", figures(0)},
                   {"another", "maki", "web.1", figures(1'000)},
                   {sushi.id.value, "sushi", "web.1", figures(3)}};
  const auto shown = get("/apps/sushi/router-metrics");
  EXPECT_EQ(text_at(shown.at("app"), "name"), "sushi");
  EXPECT_EQ(shown.at("requests"), 13);
  EXPECT_EQ(shown.at("statuses").at("2xx"), 10);
  EXPECT_EQ(shown.at("errors").at("H12"), 3);
  EXPECT_EQ(shown.at("bytes_out"), 1'000);
  EXPECT_GT(shown.at("latency_ms").at("p50").to_number<double>(), 0);
  ASSERT_EQ(shown.at("dynos").as_array().size(), 2U) << "what no dyno got has no dyno";
  EXPECT_EQ(text_at(shown.at("dynos").at(0), "name"), "web.1");
  EXPECT_EQ(shown.at("dynos").at(1).at("requests"), 8);
}

TEST_F(RouterMetricsTest, AreNothingBeforeTheFirstRequest) {
  EXPECT_EQ(get("/apps/sushi/router-metrics").at("requests"), 0);
}

TEST_F(RouterMetricsTest, SayThatTheRouterDoesNotAnswer) {
  routed = fail(Kind::unavailable, "There is no router at the moment.");
  expect_error(send("GET", "/apps/sushi/router-metrics"), 503, "service_unavailable");
}

}  // namespace
}  // namespace renga::api

// What an add-on's provider writes into the log of the app that has it.
#include <gmock/gmock.h>

#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;

constexpr const char* tank = R"({"id": "tank", "api": {"requires": ["log_input", "many_per_app"],
  "production": {"base_url": "http://127.0.0.1:1/resources"}}})";

class AddonLogInputTest : public World {
 protected:
  AddonLogInputTest() {
    marketplace.catalog.put(addons::Manifest::parse(tank).value()).value();
    provider.config.clear();
    json(send("POST", "/apps/sushi/addons", R"({"plan": "tank", "name": "my-tank"})"), 201);
    const auto& url = provider.last.log_input_url;
    const auto from = url.find("://") + 3;
    credentials = url.substr(from, url.find('@') - from);
  }
  http::Response say(const std::string& body, const std::string& as) {
    return send("POST", "/logs", body, {{"Authorization", "Basic " + text::base64(as)}});
  }
  static std::string framed(std::string_view process, std::string_view message) {
    const auto text =
        fmt::format("<190>1 2026-01-05T10:00:00+00:00 host app {} - - {}", process, message);
    return fmt::format("{} {}", text.size(), text);
  }
  std::string credentials;
};

TEST_F(AddonLogInputTest, LinesComeUnderTheServicesName) {
  const auto taken = say(framed("tank-1", "half full\nsince noon") + framed("-", "well") +
                             framed("web.1", "not the dyno") + framed("a]:b", "nor this"),
                         credentials);
  EXPECT_EQ(taken.status, 204);
  const auto lines = log();
  EXPECT_THAT(lines, HasSubstr(" app[tank.tank-1]: half full\n"));
  EXPECT_THAT(lines, HasSubstr(" app[tank.tank-1]: since noon\n"));
  EXPECT_THAT(lines, HasSubstr(" app[tank]: well\n"));
  EXPECT_THAT(lines, HasSubstr(" app[tank.web.1]: not the dyno\n"));
  EXPECT_THAT(lines, HasSubstr(" app[tank.a__b]: nor this\n"));
}

TEST_F(AddonLogInputTest, NobodyElseWritesAndNothingOfABodyThatIsWrongIsTaken) {
  expect_error(send("POST", "/logs", framed("x", "y"), {{"Authorization", ""}}), 401,
               "unauthorized");
  expect_error(say(framed("x", "y"), "token:t.nothing"), 401, "unauthorized");
  expect_error(send("POST", "/logs", framed("x", "y")), 401, "unauthorized");
  expect_error(say(framed("x", "the first") + "garbage", credentials), 422, "invalid_params");
  EXPECT_THAT(log(), testing::Not(HasSubstr("the first")));
  json(send("DELETE", "/apps/sushi/addons/my-tank"));
  expect_error(say(framed("x", "y"), credentials), 401, "unauthorized");
}

TEST_F(AddonLogInputTest, MayBeCalledTenTimesASecond) {
  int taken = 0;
  while (say("", credentials).status == 204) ++taken;
  EXPECT_EQ(taken, 120);
  EXPECT_EQ(say("", credentials).status, 429);
  clock.advance(std::chrono::seconds(1));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(say("", credentials).status, 204);
  EXPECT_EQ(say("", credentials).status, 429);
}

TEST_F(AddonLogInputTest, TheUrlIsShownToTheProviderAlone) {
  const auto secret =
      marketplace.catalog.secrets(marketplace.catalog.services().front().id).client_secret;
  const auto tokens = json(send(
      "POST", "/oauth/token",
      "grant_type=authorization_code&code=" + provider.last.grant_code + "&client_secret=" + secret,
      {{"Authorization", ""}}));
  const auto path = "/addons/" + provider.last.uuid + "/addon-attachments";
  const auto shown =
      json(send("GET", path, "", {{"Authorization", "Bearer " + text_at(tokens, "access_token")}}));
  EXPECT_THAT(text_at(shown.as_array().front(), "log_input_url"), HasSubstr("http://token:t."));
  expect_fits("add-on-attachment", shown);
  EXPECT_TRUE(get(path).as_array().front().at("log_input_url").is_null());
}

}  // namespace
}  // namespace renga::api

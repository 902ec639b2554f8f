// What providers write into the logs of their add-ons' apps: whose log a token is for.
#include "addons/log_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "addons/marketplace.h"
#include "addons/migrations.h"
#include "addons/testing/fake_provider.h"
#include "logs/migrations.h"
#include "releases/testing/house.h"

namespace renga::addons {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class LogInputTest : public releases::House {
 protected:
  LogInputTest() {
    database.migrate(logs::migrations());
    database.migrate(migrations());
    releases.append_first(sushi.id, ada.id);
    releases.append_first(maki.id, ada.id);
    market.catalog.put(manifest(R"("log_input", "attachable")")).value();
    provider.config.clear();
  }
  static Manifest manifest(const std::string& features) {
    return Manifest::parse(R"({"id": "papertrail", "api": {"requires": [)" + features +
                           R"(], "production": {"base_url": "https://papertrail.example"}}})")
        .value();
  }
  Addon create() {
    return market.addons
        .create(sushi, ada,
                {.plan = "papertrail", .name = "", .attachment = "", .options = {}, .confirm = ""})
        .value();
  }
  static std::string token_in(const std::string& url) {
    const auto from = url.find("token:") + 6;
    return url.substr(from, url.find('@') - from);
  }

  crypto::SecretBox box;
  ::renga::releases::Releases releases{database, clock, apps, slugs, box};
  logs::LogStore logs{{.directory = scratch.path / "logs"}};
  logs::Drains drains{database, clock, box, logs, {}};
  FakeProvider provider;
  Marketplace market{
      database, clock, box,    people,   apps,
      releases, logs,  drains, provider, {.api_url = "https://paas.example.com:7373"}};
};

TEST_F(LogInputTest, IsAUrlWithATokenThatIsGoodUntilTheAddOnIsGone) {
  const auto addon = create();
  const auto url = provider.last.log_input_url;
  EXPECT_THAT(url, MatchesRegex("https://token:t\\.[A-Za-z0-9_-]+@paas\\.example\\.com:7373/logs"));
  const auto source = market.log_input.find(token_in(url)).value();
  EXPECT_EQ(source.app, sushi.id);
  EXPECT_EQ(source.addon, addon.id);
  EXPECT_EQ(source.service, "papertrail");
  EXPECT_TRUE(market.log_input.find(token_in(market.log_input.url(addon, sushi.id))))
      << "those of other requests are as good";

  ASSERT_TRUE(market.addons.destroy(addon, ada, Addons::Elsewhere::refuse));
  EXPECT_EQ(market.log_input.find(token_in(url)).error().kind, Kind::unauthorized);
}

TEST_F(LogInputTest, NobodyMakesATokenUp) {
  const auto addon = create();
  auto token = token_in(provider.last.log_input_url);
  for (const auto* other : {"", "t.", "t.====", "x", "d.0"})
    EXPECT_EQ(market.log_input.find(other).error().kind, Kind::unauthorized) << other;
  EXPECT_FALSE(market.log_input.find("t." + addon.id.value));
  EXPECT_FALSE(market.log_input.find(token.substr(2)));
  EXPECT_FALSE(market.log_input.find("t." + std::string(1000, 'a')));
  token[10] = token[10] == 'a' ? 'b' : 'a';
  EXPECT_FALSE(market.log_input.find(token));
}

TEST_F(LogInputTest, AnotherAppsLogIsOpenWhileItIsAttachedThere) {
  const auto addon = create();
  const auto token = token_in(market.log_input.url(addon, maki.id));
  EXPECT_FALSE(market.log_input.find(token));
  const auto attachment =
      market.addons.attach(addon, maki, ada, {.name = "LOGS", .name_space = {}, .confirm = ""})
          .value();
  EXPECT_EQ(market.log_input.find(token).value().app, maki.id);
  ASSERT_TRUE(market.addons.detach(attachment, ada));
  EXPECT_FALSE(market.log_input.find(token));
}

// A provider that could write into the log of an app whose owner was told nothing of it.
TEST_F(LogInputTest, IsForThoseWhoseManifestSaysSo) {
  create();
  const auto token = token_in(provider.last.log_input_url);
  market.catalog.put(manifest(R"("attachable")")).value();
  EXPECT_EQ(market.log_input.find(token).error().kind, Kind::forbidden);
  EXPECT_THAT(market.log_input.find(token).error().message, HasSubstr("papertrail"));
}

}  // namespace
}  // namespace renga::addons

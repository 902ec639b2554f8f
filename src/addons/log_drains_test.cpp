// Drains that providers have for their add-ons' apps.
#include "addons/log_drains.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "addons/marketplace.h"
#include "addons/migrations.h"
#include "addons/testing/fake_provider.h"
#include "logs/migrations.h"
#include "releases/testing/house.h"

namespace renga::addons {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LogDrainsTest : public releases::House {
 protected:
  LogDrainsTest() {
    database.migrate(logs::migrations());
    database.migrate(migrations());
    releases.append_first(sushi.id, ada.id);
    market.catalog.put(manifest(R"("syslog_drain")")).value();
    provider.config.clear();
  }
  static Manifest manifest(const std::string& features) {
    return Manifest::parse(R"({"id": "papertrail", "api": {"requires": [)" + features +
                           R"(], "production": {"base_url": "https://papertrail.example"}}})")
        .value();
  }
  ProviderAnswer gives(std::string url) {
    ProviderAnswer answer;
    answer.status = 201;
    answer.id = "theirs";
    answer.log_drain_url = std::move(url);
    return answer;
  }
  Result<Addon> create() {
    return market.addons.create(
        sushi, ada,
        {.plan = "papertrail", .name = "", .attachment = "", .options = {}, .confirm = ""});
  }
  std::vector<std::string> urls() {
    std::vector<std::string> all;
    for (const auto& drain : drains.all(sushi.id)) all.push_back(drain.url);
    return all;
  }

  crypto::SecretBox box;
  ::renga::releases::Releases releases{database, clock, apps, slugs, box};
  logs::LogStore logs{{.directory = scratch.path / "logs"}};
  logs::Drains drains{database, clock, box, logs, {}};
  FakeProvider provider;
  Marketplace market{database, clock, box,    people,   apps,
                     releases, logs,  drains, provider, {.api_url = "https://paas.example.com"}};
};

TEST_F(LogDrainsTest, ComeAndGoWithTheAddOn) {
  provider.script.push_back(gives("syslog+tls://logs.papertrail.example:6514"));
  const auto addon = create().value();
  EXPECT_EQ(provider.last.log_drain_token, "d." + addon.id.value);
  ASSERT_THAT(urls(), ElementsAre("syslog+tls://logs.papertrail.example:6514"));
  EXPECT_EQ(drains.all(sushi.id).front().token, provider.last.log_drain_token);
  EXPECT_EQ(drains.all(sushi.id).front().addon, addon.id.value);

  const auto second = market.log_drains.add(addon, "https://papertrail.example/in").value();
  EXPECT_EQ(market.log_drains.add(addon, second.url).error().kind, Kind::invalid);
  EXPECT_EQ(market.log_drains.add(addon, "ftp://x").error().kind, Kind::invalid);
  const auto moved =
      market.log_drains.move(addon, second.token, "https://papertrail.example/there").value();
  EXPECT_EQ(moved.id, second.id);
  EXPECT_TRUE(market.log_drains.remove(addon, provider.last.log_drain_token));
  EXPECT_THAT(urls(), ElementsAre("https://papertrail.example/there"));
  for (int i = 0; i < 4; ++i)
    EXPECT_TRUE(market.log_drains.add(addon, "https://papertrail.example/" + std::to_string(i)));
  EXPECT_THAT(market.log_drains.add(addon, "https://papertrail.example/more").error().message,
              HasSubstr("at most 5"));

  ASSERT_TRUE(market.addons.destroy(addon, ada, Addons::Elsewhere::refuse));
  EXPECT_THAT(urls(), IsEmpty());
  EXPECT_EQ(market.log_drains.add(addon, second.url).error().kind, Kind::invalid);
}

// A provider that could read the log of an app whose owner was told nothing of it.
TEST_F(LogDrainsTest, AreForThoseWhoseManifestSaysSo) {
  market.catalog.put(manifest("")).value();
  provider.script.push_back(gives("https://papertrail.example/in"));
  EXPECT_EQ(create().error().kind, Kind::unavailable);
  EXPECT_THAT(urls(), IsEmpty());
  const auto addon = create().value();
  EXPECT_EQ(provider.last.log_drain_token, "");
  EXPECT_EQ(market.log_drains.add(addon, "https://papertrail.example/in").error().kind,
            Kind::forbidden);
}

TEST_F(LogDrainsTest, RefuseAnAnswerWithAUrlThatIsNone) {
  provider.script.push_back(gives("file:///etc/passwd"));
  EXPECT_EQ(create().error().kind, Kind::unavailable);
  EXPECT_THAT(urls(), IsEmpty());
}

}  // namespace
}  // namespace renga::addons

// What a setup gets of the marketplace, which is real, from a provider that answers as it is told.
#include "setups/setup_addons.h"

#include <gmock/gmock.h>

#include "addons/marketplace.h"
#include "addons/migrations.h"
#include "addons/testing/fake_provider.h"
#include "logs/migrations.h"
#include "releases/testing/house.h"
#include "setups/migrations.h"

namespace renga::setups {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* tank = R"({"id": "heroku-tank", "name": "Tank",
  "api": {"config_vars": ["HEROKU_TANK_URL"], "default_attachment_name": "TANK",
          "requires": ["many_per_app", "attachable"],
          "production": {"base_url": "https://tank.example/heroku/resources/", "sso_url": "https://tank.example/sso"}},
  "plans": [{"name": "basic"}, {"name": "big", "price": {"cents": 900}}]})";

class SetupAddonsTest : public releases::House {
 protected:
  SetupAddonsTest() {
    database.migrate(logs::migrations());
    database.migrate(addons::migrations());
    database.migrate(migrations());
    database.run(
        "INSERT INTO app_setups (id, app, user, status, source_url, source_version, "
        "source_checksum, formation, postdeploy, postdeploy_size, postdeploy_dyno, "
        "postdeploy_stream, success_url, created_at, updated_at) "
        "VALUES ('one', ?, ?, 'pending', '', '', '', '', '', '', '', '', '', ?, ?)",
        sushi.id, ada.id, clock.now(), clock.now());
    releases.append_first(sushi.id, ada.id);
    crash();
    market->catalog.put(addons::Manifest::parse(tank).value());
  }
  // Of control: nothing but the store is left.
  void crash() {
    wishes.reset();
    market.reset();
    market = std::make_unique<addons::Marketplace>(
        database, clock, box, people, apps, releases, logs, drains, provider,
        addons::ProvisionerOptions{.api_url = "https://paas.example.com"});
    wishes = std::make_unique<SetupAddons>(database, clock, box, market->catalog, market->addons);
  }
  void ask(const std::vector<AddonWish>& all) {
    ASSERT_THAT(wishes->mistakes(all), IsEmpty());
    wishes->ask("one", all);
  }
  Result<bool> look() { return wishes->ready("one", sushi, ada); }
  // Looks, with the market's workers between, until it is settled.
  Result<bool> settle() {
    for (int round = 0; round < 60; ++round) {
      const auto now = look();
      if (!now || *now) return now;
      clock.advance(std::chrono::minutes(1));
      market->provisioner.work();
    }
    return look();
  }

  crypto::SecretBox box;
  ::renga::releases::Releases releases{database, clock, apps, slugs, box};
  logs::LogStore logs{{.directory = scratch.path / "logs"}};
  logs::Drains drains{database, clock, box, logs, {}};
  addons::FakeProvider provider;
  std::unique_ptr<addons::Marketplace> market;
  std::unique_ptr<SetupAddons> wishes;
};

TEST_F(SetupAddonsTest, AreMadeAsAskedFor) {
  ask({{.plan = "heroku-tank", .as = "", .options = {}},
       {.plan = market->catalog.plan("heroku-tank:big")->id.value,
        .as = "store",
        .options = {{"size", "7"}}}});
  const auto options = database.all("SELECT options FROM app_setup_addons",
                                    [](const store::Row& row) { return row.text(0); });
  EXPECT_THAT(options, Each(Not(HasSubstr("size"))));
  const auto ready = look();
  ASSERT_TRUE(ready) << ready.error().message;
  EXPECT_TRUE(*ready);
  EXPECT_EQ(releases.config(sushi.id),
            (apps::ConfigVars{{"STORE_URL", "tank://one"}, {"TANK_URL", "tank://one"}}));
  EXPECT_EQ(provider.last.options, (std::map<std::string, std::string>{{"size", "7"}}));
  EXPECT_TRUE(look().value());
  EXPECT_THAT(provider.calls, ElementsAre("POST basic", "POST big"));
}

TEST_F(SetupAddonsTest, RefusesWhatCannotBeMadeAllAtOnce) {
  EXPECT_THAT(
      wishes->mistakes({{.plan = "heroku-fax:mini", .as = "", .options = {}},
                        {.plan = "heroku-tank:huge", .as = "no name!", .options = {}},
                        {.plan = "heroku-tank", .as = "a-b", .options = {}},
                        {.plan = "heroku-tank", .as = "A_B", .options = {}}}),
      ElementsAre(HasSubstr("heroku-fax:mini is no plan"), HasSubstr("heroku-tank:huge is no plan"),
                  HasSubstr("no name!"), HasSubstr("attached as A_B")));
  EXPECT_THAT(wishes->mistakes(std::vector<AddonWish>(101, {"heroku-tank", "", {}})),
              ElementsAre(HasSubstr("an app can have 100")));
}

// Control dies when the provider has made it and nobody has heard so.
TEST_F(SetupAddonsTest, ACrashMakesNoneTwice) {
  ask({{.plan = "heroku-tank", .as = "", .options = {}}});
  provider.afterwards = [] { throw std::runtime_error("kill -9"); };
  EXPECT_THROW((void)look(), std::runtime_error);
  provider.afterwards = [] {};
  crash();
  EXPECT_FALSE(look().value());  // the workers have it
  EXPECT_TRUE(settle().value());
  EXPECT_EQ(market->addons.all().size(), 1u);
  EXPECT_EQ(provider.resources.size(), 1u);
}

TEST_F(SetupAddonsTest, AProviderWithoutAnAnswerIsAskedAgain) {
  ask({{.plan = "heroku-tank", .as = "", .options = {}}});
  provider.kept_despite_answer = true;
  provider.answers(0);
  EXPECT_TRUE(settle().value());
  EXPECT_EQ(market->addons.all().size(), 1u);
  EXPECT_EQ(provider.resources.size(), 1u);
}

TEST_F(SetupAddonsTest, AndIsGivenUpInTheEnd) {
  ask({{.plan = "heroku-tank", .as = "", .options = {}}});
  provider.meanwhile = [this] { provider.answers(0); };
  // What it may have made is deleted before it is asked again, and that is heard.
  for (int round = 0; round < 10; ++round) {
    const auto now = look();
    if (!now) {
      EXPECT_THAT(now.error().message, HasSubstr("gave no usable answer"));
      return;
    }
    provider.meanwhile = [] {};
    provider.script.clear();
    clock.advance(std::chrono::minutes(1));
    market->provisioner.work();
    provider.meanwhile = [this] { provider.answers(0); };
  }
  FAIL() << "it is asked for ever";
}

TEST_F(SetupAddonsTest, ARefusalIsTheSetups) {
  ask({{.plan = "heroku-tank", .as = "", .options = {}}});
  provider.answers(422, "No tanks today.");
  const auto refused = look();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "The add-on heroku-tank:basic could not be made. No tanks today.");
}

TEST_F(SetupAddonsTest, WaitForAProviderThatTakesItsTimeAndHearItsNo) {
  ask({{.plan = "heroku-tank", .as = "", .options = {}}});
  provider.answers(202);
  EXPECT_FALSE(look().value());
  EXPECT_FALSE(look().value());
  ASSERT_TRUE(market->addons.deprovisioned(market->addons.all().at(0)));
  clock.advance(std::chrono::minutes(1));
  const auto refused = look();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("could not provision it"));
  EXPECT_THAT(provider.calls, ElementsAre("POST basic"));
}

}  // namespace
}  // namespace renga::setups

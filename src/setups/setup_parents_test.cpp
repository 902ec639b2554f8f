// What a postdeploy script may set up, and where that ends.
#include "setups/setup_parents.h"

#include <gmock/gmock.h>

#include "addons/migrations.h"
#include "releases/testing/house.h"
#include "setups/migrations.h"

namespace renga::setups {
namespace {

using testing::HasSubstr;

class SetupParentsTest : public releases::House {
 protected:
  SetupParentsTest() {
    database.migrate(addons::migrations());
    database.migrate(migrations());
    releases.append_first(sushi.id, ada.id);
    set_up("one", "manifest of one", std::nullopt, "bin/seed");
  }
  // A setup that runs its script.
  void set_up(const std::string& id, const std::string& manifest, std::optional<std::string> parent,
              const std::string& script) {
    database.run(
        "INSERT INTO app_setups (id, app, user, status, source_url, source_version, "
        "source_checksum, formation, postdeploy, postdeploy_size, postdeploy_dyno, "
        "postdeploy_stream, success_url, scaled, created_at, updated_at, manifest, parent) "
        "VALUES (?, ?, ?, 'pending', '', '', '', '', ?, '', '', '', '', 1, ?, ?, ?, ?)",
        id, sushi.id, ada.id, script, clock.now(), clock.now(), manifest, parent);
  }

  crypto::SecretBox box;
  ::renga::releases::Releases releases{database, clock, apps, slugs, box};
  SetupParents parents{database, apps, releases};
};

TEST_F(SetupParentsTest, AreKnownByTheTokenThatTheirScriptHas) {
  EXPECT_EQ(parents.of_call(ada.id, "a-token"), std::nullopt);
  ASSERT_TRUE(releases.set_config(sushi.id, ada.id, {{"API", "https://x:a-token@paas.example"}}));
  EXPECT_EQ(parents.of_call(ada.id, "a-token"), "one");
  EXPECT_EQ(parents.of_call(ada.id, "another"), std::nullopt);
  EXPECT_EQ(parents.of_call(ada.id, ""), std::nullopt);
  EXPECT_EQ(parents.of_call(Id<accounts::Account>::create(), "a-token"), std::nullopt);
  set_up("two", "m", std::nullopt, "curl -H 'Authorization: Bearer in-the-script'");
  EXPECT_EQ(parents.of_call(ada.id, "in-the-script"), "two");
  database.run("UPDATE app_setups SET status = 'succeeded'");
  EXPECT_EQ(parents.of_call(ada.id, "a-token"), std::nullopt);
}

TEST_F(SetupParentsTest, AreNotSetUpAgain) {
  EXPECT_TRUE(parents.check(std::nullopt, "manifest of one"));
  EXPECT_TRUE(parents.check("one", "another"));
  const auto refused = parents.check("one", "manifest of one");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::invalid);
  EXPECT_THAT(refused.error().message, HasSubstr("the app.json of sushi"));
  // By way of another.
  set_up("two", "another", "one", "bin/seed");
  EXPECT_FALSE(parents.check("two", "manifest of one"));
  EXPECT_TRUE(parents.check("two", "a third"));
}

TEST_F(SetupParentsTest, AreOnlySoMany) {
  for (int n = 1; n < SetupParents::most_generations; ++n) {
    const auto parent = n == 1 ? "one" : "child " + std::to_string(n - 1);
    EXPECT_TRUE(parents.check(parent, "new " + std::to_string(n)));
    set_up("child " + std::to_string(n), "new " + std::to_string(n), parent, "bin/seed");
  }
  const auto refused =
      parents.check("child " + std::to_string(SetupParents::most_generations - 1), "new");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("as far as it goes"));
}

}  // namespace
}  // namespace renga::setups

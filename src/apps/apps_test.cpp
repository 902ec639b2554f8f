#include "apps/apps.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "apps/listing.h"
#include "apps/names.h"
#include "apps/permissions.h"
#include "apps/testing/house.h"

namespace renga::apps {
namespace {

using testing::ElementsAre;

class AppsTest : public House {
 protected:
  std::vector<std::string> names(const std::vector<App>& all) {
    std::vector<std::string> names;
    for (const auto& app : all) names.push_back(app.name);
    return names;
  }
  std::string refusal(const std::string& name) {
    const auto refused = apps.create(ada, {name, ""});
    EXPECT_FALSE(refused) << name;
    return refused ? "" : refused.error().message;
  }
  const Error not_found{Kind::not_found, "Couldn't find that app."};
};

TEST_F(AppsTest, MakesAnAppWithTheDefaultStack) {
  const auto sushi = make("sushi");
  EXPECT_EQ(sushi.owner, ada.id);
  EXPECT_EQ(sushi.stack, "debian-13");
  EXPECT_EQ(sushi.build_stack, "debian-13");
  EXPECT_FALSE(sushi.maintenance);
  EXPECT_EQ(apps.find(sushi.id), sushi);
  EXPECT_EQ(apps.create(ada, {"maki", "host"})->stack, "host");
}

TEST_F(AppsTest, MakesUpANameForAnAppWithoutOne) {
  const std::regex haiku("[a-z]+-[a-z]+-[0-9]{5}");
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const auto name = made_up_name();
    EXPECT_TRUE(std::regex_match(name, haiku)) << name;
    EXPECT_TRUE(check_name(name)) << name;
    seen.insert(name);
  }
  EXPECT_GT(seen.size(), 190u);
  EXPECT_TRUE(std::regex_match(make("").name, haiku));
}

TEST_F(AppsTest, RefusesNamesOutsideTheRule) {
  EXPECT_EQ(refusal("ab"), "Name is too short (minimum is 3 characters).");
  EXPECT_EQ(refusal(std::string(31, 'a')), "Name is too long (maximum is 30 characters).");
  for (const auto* bad :
       {"1ab", "-ab", "ab-", "Sushi", "su_shi", "su.shi", "su shi", "../etc", "caf\xc3\xa9"})
    EXPECT_EQ(refusal(bad),
              "Name must start with a letter, end with a letter or digit and can only contain "
              "lowercase letters, digits, and dashes.")
        << bad;
  EXPECT_TRUE(apps.create(ada, {std::string(30, 'a'), ""}));
  EXPECT_TRUE(apps.create(ada, {"a-1", ""}));
}

TEST_F(AppsTest, RefusesANameThatIsTakenEvenByAStranger) {
  make("sushi");
  const auto refused = apps.create(eve, {"sushi", ""});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Kind::invalid, "Name sushi is already taken"}));
}

TEST_F(AppsTest, RefusesAStackThatTheServerDoesNotHave) {
  const auto refused = apps.create(ada, {"sushi", "heroku-24"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "There is no stack 'heroku-24' here. Choose one of: debian-13, host. An operator adds "
            "others with "
            "`renga stacks:install`.");
  EXPECT_TRUE(apps.all().empty());
}

TEST_F(AppsTest, FindsByNameOrId) {
  const auto sushi = make("sushi");
  EXPECT_EQ(apps.find_for(ada, "sushi", Permission::manage), sushi);
  EXPECT_EQ(apps.find_for(ada, sushi.id.value, Permission::manage), sushi);
  EXPECT_EQ(apps.find_for(ada, "maki", Permission::view).error(), not_found);
}

TEST_F(AppsTest, ShowsAStrangerNothing) {
  const auto sushi = make("sushi");
  for (const auto permission :
       {Permission::view, Permission::deploy, Permission::operate, Permission::manage}) {
    EXPECT_EQ(apps.find_for(eve, "sushi", permission).error(), not_found);
    EXPECT_EQ(apps.find_for(eve, sushi.id.value, permission).error(), not_found);
    EXPECT_EQ(apps.find_for(root, "sushi", permission), sushi);
  }
  EXPECT_TRUE(apps.visible_to(eve).empty());
}

TEST_F(AppsTest, LetsACollaboratorDoAllButManage) {
  const auto sushi = make("sushi");
  ASSERT_TRUE(apps.add_collaborator(sushi.id, eve));
  for (const auto permission : {Permission::view, Permission::deploy, Permission::operate})
    EXPECT_EQ(apps.find_for(eve, "sushi", permission), sushi);
  const auto refused = apps.find_for(eve, "sushi", Permission::manage);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::forbidden);
}

TEST_F(AppsTest, LetsACollaboratorDoWhatWasGranted) {
  using enum Permission;
  const auto sushi = make("sushi");
  const auto added = apps.add_collaborator(sushi.id, eve).value();
  Grants grants{database, clock};
  EXPECT_EQ(grants.of(added), (Permissions{view, deploy, operate}));
  for (const auto& granted : std::vector<Permissions>{
           {view}, {view, deploy}, {view, operate}, {view, deploy, operate, manage}, {manage}}) {
    ASSERT_TRUE(grants.set(apps, sushi.id, "Eve@example.com", granted));
    const auto now = grants.of(added);
    EXPECT_TRUE(now.contains(view));
    for (const auto permission : {view, deploy, operate, manage}) {
      const auto found = apps.find_for(eve, "sushi", permission);
      EXPECT_EQ(found.has_value(), now.contains(permission));
      if (!found) {
        EXPECT_EQ(found.error().kind, Kind::forbidden);
      }
    }
  }
  const auto refusal = [&](const char* whose) {
    return grants.set(apps, sushi.id, whose, {view}).error().kind;
  };
  EXPECT_EQ(refusal("ada@example.com"), Kind::invalid);
  EXPECT_EQ(refusal("x@example.com"), Kind::not_found);
}

TEST_F(AppsTest, ListsWhatAnAccountMaySeeByName) {
  const auto sushi = make("sushi");
  make("maki");
  ASSERT_TRUE(apps.create(eve, {"natto", ""}));
  ASSERT_TRUE(apps.add_collaborator(sushi.id, eve));
  EXPECT_THAT(names(apps.visible_to(ada)), ElementsAre("maki", "sushi"));
  EXPECT_THAT(names(apps.visible_to(eve)), ElementsAre("natto", "sushi"));
  EXPECT_THAT(names(apps.visible_to(root)), ElementsAre("maki", "natto", "sushi"));
  EXPECT_THAT(names(apps.all()), ElementsAre("maki", "natto", "sushi"));
}

TEST_F(AppsTest, ListsAPartOfThemInEitherOrder) {
  const auto sushi = make("sushi");
  make("maki");
  ASSERT_TRUE(apps.create(eve, {"natto", ""}));
  ASSERT_TRUE(apps.add_collaborator(sushi.id, eve));
  const auto part = [&](const accounts::Account& who, const Listing& listing) {
    return names(visible_to(database, who, listing));
  };
  EXPECT_THAT(part(root, {.least = {}, .greatest = {}, .most = 2}), ElementsAre("maki", "natto"));
  EXPECT_THAT(part(root, {.least = {}, .greatest = {}, .descending = true, .most = 2}),
              ElementsAre("sushi", "natto"));
  EXPECT_THAT(part(root, {.least = "mb", .greatest = "natto", .most = 9}), ElementsAre("natto"));
  EXPECT_THAT(part(ada, {.least = "maki", .greatest = {}, .most = 9}),
              ElementsAre("maki", "sushi"));
  EXPECT_THAT(part(eve, {.least = {}, .greatest = {}, .most = 1}), ElementsAre("natto"));

  auto ids = std::vector{sushi.id.value, apps.find_by_name("natto")->id.value};
  std::ranges::sort(ids);
  const auto first = visible_to(
      database, eve, {.by = Listing::By::id, .least = ids[0], .greatest = {}, .most = 1});
  EXPECT_EQ(first.at(0).id.value, ids[0]);
}

TEST_F(AppsTest, ChangesOnlyWhatIsGiven) {
  const auto sushi = make("sushi");
  make("maki");
  clock.advance(std::chrono::seconds(5));
  const auto changed = apps.update(sushi.id, {"nigiri", true, std::nullopt});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->name, "nigiri");
  EXPECT_TRUE(changed->maintenance);
  EXPECT_EQ(changed->build_stack, "debian-13");
  EXPECT_EQ(changed->updated_at, clock.now());
  EXPECT_EQ(apps.find(sushi.id), changed);

  EXPECT_EQ(apps.update(sushi.id, {"maki", false, {}}).error().message,
            "Name maki is already taken");
  EXPECT_EQ(apps.update(sushi.id, {"x", {}, {}}).error().kind, Kind::invalid);
  EXPECT_EQ(apps.update(sushi.id, {{}, {}, "heroku-24"}).error().kind, Kind::invalid);
  EXPECT_EQ(apps.find(sushi.id), changed);
  EXPECT_EQ(apps.update({"none"}, {}).error(), not_found);
}

TEST_F(AppsTest, KeepsTheNotesOfOtherRooms) {
  const auto sushi = make("sushi");
  apps.set_stack(sushi.id, "host");
  apps.set_built(sushi.id, "Python", 1234);
  apps.set_repo_size(sushi.id, 99);
  apps.set_released(sushi.id, clock.now());
  const auto noted = apps.find(sushi.id).value();
  EXPECT_EQ(noted.stack, "host");
  EXPECT_EQ(noted.build_stack, "debian-13");
  EXPECT_EQ(noted.buildpack_provided_description, "Python");
  EXPECT_EQ(noted.slug_size, 1234);
  EXPECT_EQ(noted.repo_size, 99);
  EXPECT_EQ(noted.released_at, clock.now());
}

TEST_F(AppsTest, TakesRowsOfOtherRoomsAlongWhenDestroyed) {
  const auto sushi = make("sushi");
  database.run(
      "CREATE TABLE notes (app TEXT NOT NULL REFERENCES apps(id) ON DELETE CASCADE) STRICT");
  database.run("INSERT INTO notes VALUES (?)", sushi.id);
  ASSERT_TRUE(apps.destroy(sushi.id));
  EXPECT_FALSE(database.first("SELECT 1 FROM notes", [](const auto&) { return true; }));
  EXPECT_FALSE(database.first("SELECT 1 FROM collaborators", [](const auto&) { return true; }));
  EXPECT_EQ(apps.destroy(sushi.id).error(), not_found);
  EXPECT_TRUE(apps.create(eve, {"sushi", ""}));
}

TEST_F(AppsTest, ListsTheOwnerAmongTheCollaborators) {
  const auto sushi = make("sushi");
  const auto added = apps.add_collaborator(sushi.id, eve);
  ASSERT_TRUE(added);
  const auto all = apps.collaborators(sushi.id);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].account, ada);
  EXPECT_TRUE(all[0].owner);
  EXPECT_EQ(all[1].account, eve);
  EXPECT_EQ(all[1].id, added->id);
  EXPECT_FALSE(all[1].owner);
}

TEST_F(AppsTest, AddsAndRemovesACollaboratorOnce) {
  const auto sushi = make("sushi");
  const auto added = apps.add_collaborator(sushi.id, eve);
  ASSERT_TRUE(added);
  EXPECT_EQ(apps.add_collaborator(sushi.id, eve).error().message,
            "eve@example.com is already a collaborator on sushi.");
  EXPECT_EQ(apps.add_collaborator({"none"}, eve).error(), not_found);
  EXPECT_EQ(apps.remove_collaborator(sushi.id, "EVE@example.com")->id, added->id);
  EXPECT_EQ(apps.remove_collaborator(sushi.id, added->id.value).error().kind, Kind::not_found);
  EXPECT_EQ(apps.find_for(eve, "sushi", Permission::view).error(), not_found);
}

TEST_F(AppsTest, KeepsTheOwnerOnTheApp) {
  const auto sushi = make("sushi");
  const auto refused = apps.remove_collaborator(sushi.id, "ada@example.com");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::invalid);
  EXPECT_TRUE(apps.find_for(ada, "sushi", Permission::manage));
}

}  // namespace
}  // namespace renga::apps

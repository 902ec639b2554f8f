#include "accounts/people.h"

#include <gtest/gtest.h>

#include "accounts/migrations.h"
#include "base/testing/fake_clock.h"

namespace renga::accounts {
namespace {

class PeopleTest : public testing::Test {
 protected:
  PeopleTest() { database.migrate(migrations()); }
  store::Database database{":memory:"};
  FakeClock clock;
  Accounts accounts{database, clock};
  People people{database, clock, accounts};
};

TEST_F(PeopleTest, KeepsAnAdministrator) {
  const auto root = accounts.create("root@example.com", "", true).value();
  const auto ada = accounts.create("ada@example.com", "", false).value();
  EXPECT_EQ(people.set_admin(root.id, false).error().kind, Kind::invalid);
  EXPECT_EQ(people.remove(root.id).error().kind, Kind::invalid);
  EXPECT_TRUE(people.set_admin(ada.id, true)->admin);
  EXPECT_FALSE(people.set_admin(root.id, false)->admin);
  EXPECT_TRUE(people.remove(root.id));
  EXPECT_EQ(accounts.find(root.id).error().kind, Kind::not_found);
  EXPECT_EQ(people.remove(ada.id).error().kind, Kind::invalid);
}

TEST_F(PeopleTest, KeepsAnAccountThatOwnsSomething) {
  const auto ada = accounts.create("ada@example.com", "", false).value();
  database.run("CREATE TABLE things (owner TEXT NOT NULL REFERENCES accounts(id)) STRICT");
  database.run("INSERT INTO things VALUES (?)", ada.id);
  EXPECT_EQ(people.remove(ada.id).error().kind, Kind::conflict);
  EXPECT_TRUE(accounts.find(ada.id));
  database.run("DELETE FROM things");
  EXPECT_TRUE(people.remove(ada.id));
}

}  // namespace
}  // namespace renga::accounts

#include "accounts/accounts.h"

#include <gtest/gtest.h>

#include "accounts/migrations.h"
#include "base/testing/fake_clock.h"

namespace renga::accounts {
namespace {

class AccountsTest : public testing::Test {
 protected:
  AccountsTest() { database.migrate(migrations()); }
  store::Database database{":memory:"};
  FakeClock clock;
  Accounts accounts{database, clock};
};

TEST_F(AccountsTest, IsEmptyUntilTheFirstAccount) {
  EXPECT_TRUE(accounts.empty());
  const auto ada = accounts.create(" ada@example.com ", "Ada", true);
  ASSERT_TRUE(ada);
  EXPECT_FALSE(accounts.empty());
  EXPECT_EQ(accounts.all(), std::vector{*ada});
  EXPECT_EQ(ada->email, "ada@example.com");
  EXPECT_TRUE(ada->admin);
  EXPECT_EQ(ada->created_at, clock.now());
}

TEST_F(AccountsTest, FindsByIdOrAddressInAnyCase) {
  const auto ada = accounts.create("Ada@Example.com", "Ada", false);
  EXPECT_EQ(accounts.find(ada->id), ada);
  EXPECT_EQ(accounts.find(ada->id.value), ada);
  EXPECT_EQ(accounts.find("ada@example.COM"), ada);
  EXPECT_EQ(accounts.find("eve@example.com").error(),
            (Error{Kind::not_found, "Couldn't find that account."}));
}

TEST_F(AccountsTest, RefusesWhatIsNoAddress) {
  for (const auto* bad : {"", "ada", "@example.com", "ada@", "a@b@c", "a b@c", "a@b\nc"}) {
    const auto refused = accounts.create(bad, "", false);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().kind, Kind::invalid);
  }
  EXPECT_TRUE(accounts.create("admin@localhost", "", true));
}

TEST_F(AccountsTest, RefusesAnAddressThatIsTaken) {
  const auto ada = accounts.create("ada@example.com", "Ada", false);
  const auto eve = accounts.create("eve@example.com", "Eve", false);
  const auto again = accounts.create("ADA@example.com", "", false);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message,
            "The e-mail address ADA@example.com belongs to another account.");
  EXPECT_EQ(accounts.update(eve->id, "ada@example.com", std::nullopt).error().kind, Kind::invalid);
  EXPECT_EQ(accounts.find(eve->id), eve);
}

TEST_F(AccountsTest, ChangesOnlyWhatIsGiven) {
  const auto ada = accounts.create("ada@example.com", "Ada", false);
  clock.advance(std::chrono::hours(1));
  const auto renamed = accounts.update(ada->id, std::nullopt, "Ada L.");
  ASSERT_TRUE(renamed);
  EXPECT_EQ(renamed->email, ada->email);
  EXPECT_EQ(renamed->name, "Ada L.");
  EXPECT_EQ(renamed->updated_at, clock.now());
  EXPECT_EQ(accounts.update(ada->id, "", "")->name, "Ada L.");
  EXPECT_TRUE(accounts.update(ada->id, "ADA@example.com", std::nullopt));
}

TEST_F(AccountsTest, SignsInWithThePasswordAndNothingElse) {
  const auto ada = accounts.create("ada@example.com", "Ada", false);
  const Error refused{Kind::unauthorized, "Invalid credentials provided."};
  EXPECT_EQ(accounts.sign_in("ada@example.com", "").error(), refused);

  ASSERT_TRUE(accounts.set_password(ada->id, "correct horse"));
  EXPECT_EQ(accounts.sign_in("Ada@example.com", "correct horse")->id, ada->id);
  EXPECT_EQ(accounts.sign_in("ada@example.com", "wrong horse").error(), refused);
  EXPECT_EQ(accounts.sign_in("eve@example.com", "correct horse").error(), refused);
  EXPECT_EQ(accounts.sign_in("ada@example.com", std::string(5000, 'x')).error(), refused);
}

TEST_F(AccountsTest, RefusesPasswordsTooShortOrTooLong) {
  const auto ada = accounts.create("ada@example.com", "Ada", false);
  EXPECT_EQ(accounts.set_password(ada->id, "short").error().kind, Kind::invalid);
  EXPECT_EQ(accounts.set_password(ada->id, std::string(2000, 'x')).error().kind, Kind::invalid);
  EXPECT_EQ(accounts.set_password({"nobody"}, "correct horse").error().kind, Kind::not_found);
}

}  // namespace
}  // namespace renga::accounts

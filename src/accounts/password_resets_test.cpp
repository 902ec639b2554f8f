#include "accounts/password_resets.h"

#include <gtest/gtest.h>

#include "accounts/migrations.h"
#include "accounts/people.h"
#include "base/testing/fake_clock.h"

namespace renga::accounts {
namespace {

class PasswordResetsTest : public testing::Test {
 protected:
  PasswordResetsTest() {
    database.migrate(migrations());
    ada = accounts.create("ada@example.com", "Ada", false).value();
  }
  store::Database database{":memory:"};
  FakeClock clock;
  Accounts accounts{database, clock};
  People people{database, clock, accounts};
  PasswordResets resets{database, clock, accounts};
  Account ada;
};

TEST_F(PasswordResetsTest, SetAPasswordOnce) {
  EXPECT_FALSE(people.has_password(ada.id));
  const auto reset = resets.create(ada.id).value();
  EXPECT_EQ(resets.finalize(reset.token, "short").error().kind, Kind::invalid);
  const auto done = resets.finalize(reset.token, "correct horse");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->account.id, ada.id);
  EXPECT_TRUE(people.has_password(ada.id));
  EXPECT_TRUE(accounts.sign_in("ada@example.com", "correct horse"));
  EXPECT_EQ(resets.finalize(reset.token, "another horse").error().kind, Kind::not_found);
}

TEST_F(PasswordResetsTest, ExpireAndReplaceEachOther) {
  const auto first = resets.create(ada.id).value();
  const auto second = resets.create(ada.id).value();
  EXPECT_EQ(resets.finalize(first.token, "correct horse").error().kind, Kind::not_found);
  clock.advance(PasswordResets::lifetime);
  EXPECT_EQ(resets.finalize(second.token, "correct horse").error().kind, Kind::not_found);
  EXPECT_EQ(resets.finalize("", "correct horse").error().kind, Kind::not_found);
  EXPECT_EQ(resets.create({"none"}).error().kind, Kind::not_found);
}

TEST_F(PasswordResetsTest, KeepNoTokenInTheStore) {
  const auto reset = resets.create(ada.id).value();
  EXPECT_FALSE(database.first(
      "SELECT 1 FROM password_resets WHERE token_hash = ?", [](const auto&) { return true; },
      reset.token));
}

}  // namespace
}  // namespace renga::accounts

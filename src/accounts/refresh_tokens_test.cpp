#include "accounts/refresh_tokens.h"

#include <gtest/gtest.h>

#include "accounts/accounts.h"
#include "accounts/migrations.h"
#include "base/testing/fake_clock.h"

namespace renga::accounts {
namespace {

using std::chrono::hours;

class RefreshTokensTest : public testing::Test {
 protected:
  Authorization made_for(hours lifetime) {
    return authorizations.create(ada.id, "robot", {"read"}, lifetime).value();
  }

  store::Database database{":memory:"};
  FakeClock clock;
  Accounts accounts{database, clock};
  Authorizations authorizations{database, clock};
  RefreshTokens refresh_tokens{database, clock};
  Account ada =
      (database.migrate(migrations()), accounts.create("ada@example.com", "Ada", false).value());
};

TEST_F(RefreshTokensTest, RenewAnAccessTokenThatHasExpired) {
  const auto first = made_for(hours(8));
  const auto refresh = refresh_tokens.create(first.id);
  clock.advance(hours(9));
  EXPECT_FALSE(authorizations.check(first.token));
  // Another token made meanwhile sweeps out what has expired, but not what can be renewed.
  made_for(hours(1));

  const auto renewed = refresh_tokens.use(refresh.token);
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->id, first.id);
  EXPECT_EQ(renewed->scope, first.scope);
  EXPECT_EQ(renewed->expires_at, clock.now() + hours(8));
  EXPECT_TRUE(authorizations.check(renewed->token));
  EXPECT_TRUE(refresh_tokens.use(refresh.token)) << "it is good for the next time, too";
  EXPECT_FALSE(authorizations.check(renewed->token)) << "only the newest access token counts";
}

TEST_F(RefreshTokensTest, AreGoodForNothingElse) {
  const auto first = made_for(hours(8));
  const auto refresh = refresh_tokens.create(first.id);
  EXPECT_FALSE(authorizations.check(refresh.token));
  EXPECT_EQ(refresh_tokens.use(first.token).error().kind, Kind::unauthorized);
  EXPECT_EQ(refresh_tokens.use("").error().kind, Kind::unauthorized);
}

TEST_F(RefreshTokensTest, EndWithTheirAuthorizationOrWithTheNextOne) {
  const auto first = made_for(hours(8));
  const auto old = refresh_tokens.create(first.id);
  const auto fresh = refresh_tokens.create(first.id);
  EXPECT_FALSE(refresh_tokens.use(old.token));
  EXPECT_EQ(refresh_tokens.of(first.id)->id, fresh.id);
  EXPECT_TRUE(refresh_tokens.of(first.id)->token.empty());

  ASSERT_TRUE(authorizations.revoke(ada.id, first.id.value));
  EXPECT_FALSE(refresh_tokens.use(fresh.token));
  EXPECT_FALSE(refresh_tokens.of(first.id));
}

}  // namespace
}  // namespace renga::accounts

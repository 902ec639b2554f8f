#include "accounts/authorizations.h"

#include <gtest/gtest.h>

#include <regex>

#include "accounts/accounts.h"
#include "accounts/migrations.h"
#include "base/testing/fake_clock.h"

namespace renga::accounts {
namespace {

using std::chrono::seconds;

class AuthorizationsTest : public testing::Test {
 protected:
  Authorization token(std::vector<std::string> scope = {},
                      std::optional<seconds> expires_in = std::nullopt) {
    return authorizations.create(ada.id, "laptop", std::move(scope), expires_in).value();
  }

  store::Database database{":memory:"};
  FakeClock clock;
  Accounts accounts{database, clock};
  Authorizations authorizations{database, clock};
  Account ada =
      (database.migrate(migrations()), accounts.create("ada@example.com", "Ada", false).value());
  Account eve = accounts.create("eve@example.com", "Eve", false).value();
  const Error refused{Kind::unauthorized, "Invalid credentials provided."};
};

TEST_F(AuthorizationsTest, MakesTokensThatLookLikeHerokus) {
  const auto made = token();
  EXPECT_TRUE(std::regex_match(made.token, std::regex("HRKU-AA[0-9A-Za-z_-]{58}"))) << made.token;
  EXPECT_EQ(made.token_hint, made.token.substr(0, 12));
  EXPECT_EQ(made.scope, std::vector<std::string>{"global"});
  EXPECT_FALSE(made.expires_at);
  EXPECT_NE(token().token, made.token);
}

TEST_F(AuthorizationsTest, ChecksATokenWithoutGivingItBack) {
  const auto made = token({"write", "read", "read"});
  const auto checked = authorizations.check(made.token);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->id, made.id);
  EXPECT_EQ(checked->account, ada.id);
  EXPECT_EQ(checked->scope, (std::vector<std::string>{"read", "write"}));
  EXPECT_TRUE(checked->token.empty());
  EXPECT_EQ(authorizations.check("").error(), refused);
  EXPECT_EQ(authorizations.check(made.token + "x").error(), refused);
  EXPECT_EQ(authorizations.check(made.token_hint).error(), refused);
}

TEST_F(AuthorizationsTest, StoresNoTokenAnywhere) {
  const auto made = token();
  database.query("SELECT * FROM authorizations", [&](const store::Row& row) {
    for (int column = 0; column < 10; ++column)
      EXPECT_EQ(row.text(column).find(made.token.substr(12)), std::string::npos) << column;
  });
}

TEST_F(AuthorizationsTest, ExpiresByTheClock) {
  const auto made = token({}, seconds(60));
  EXPECT_EQ(made.expires_at, clock.now() + seconds(60));
  clock.advance(seconds(59));
  EXPECT_TRUE(authorizations.check(made.token));
  clock.advance(seconds(1));
  EXPECT_EQ(authorizations.check(made.token).error(), refused);
  token();
  EXPECT_EQ(authorizations.all(ada.id).size(), 1u);
}

TEST_F(AuthorizationsTest, RegeneratesWithTheSameLifetime) {
  const auto made = token({}, seconds(60));
  clock.advance(seconds(30));
  const auto again = authorizations.regenerate(ada.id, made.id.value);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, made.id);
  EXPECT_EQ(again->expires_at, clock.now() + seconds(60));
  EXPECT_EQ(authorizations.check(made.token).error(), refused);
  EXPECT_EQ(authorizations.check(again->token)->id, made.id);
}

TEST_F(AuthorizationsTest, RevokesAtOnce) {
  const auto made = token();
  ASSERT_TRUE(authorizations.revoke(ada.id, made.id.value));
  EXPECT_EQ(authorizations.check(made.token).error(), refused);
  EXPECT_EQ(authorizations.revoke(ada.id, made.id.value).error().kind, Kind::not_found);
}

TEST_F(AuthorizationsTest, KeepsAccountsApart) {
  const auto made = token();
  EXPECT_EQ(authorizations.find(eve.id, made.id.value).error().kind, Kind::not_found);
  EXPECT_EQ(authorizations.revoke(eve.id, made.id.value).error().kind, Kind::not_found);
  EXPECT_EQ(authorizations.regenerate(eve.id, made.id.value).error().kind, Kind::not_found);
  EXPECT_TRUE(authorizations.all(eve.id).empty());
  EXPECT_TRUE(authorizations.check(made.token));
}

TEST_F(AuthorizationsTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(authorizations.create(ada.id, "", {"root"}, {}).error().kind, Kind::invalid);
  EXPECT_EQ(authorizations.create(ada.id, "", {}, seconds(0)).error().kind, Kind::invalid);
  EXPECT_EQ(authorizations.create(ada.id, "", {}, seconds::max()).error().kind, Kind::invalid);
  EXPECT_EQ(authorizations.create({"nobody"}, "", {}, {}).error().kind, Kind::not_found);
}

TEST_F(AuthorizationsTest, AllowsWhatTheScopeCovers) {
  const auto allowed = [&](const char* scope) {
    std::string all;
    const auto made = token({scope});
    for (const auto& [access, letter] : {std::pair{Access::identity, 'i'},
                                         {Access::read, 'r'},
                                         {Access::write, 'w'},
                                         {Access::read_protected, 'R'},
                                         {Access::write_protected, 'W'},
                                         {Access::everything, '*'}})
      if (allows(made, access)) all += letter;
    return all;
  };
  EXPECT_EQ(allowed("identity"), "i");
  EXPECT_EQ(allowed("read"), "ir");
  EXPECT_EQ(allowed("write"), "irw");
  EXPECT_EQ(allowed("read-protected"), "irR");
  EXPECT_EQ(allowed("write-protected"), "irwRW");
  EXPECT_EQ(allowed("global"), "irwRW*");
}

}  // namespace
}  // namespace renga::accounts

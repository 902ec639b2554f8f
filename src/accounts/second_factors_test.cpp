#include "accounts/second_factors.h"

#include <gtest/gtest.h>

#include "accounts/migrations.h"
#include "base/testing/fake_clock.h"
#include "crypto/totp.h"

namespace renga::accounts {
namespace {

class SecondFactorsTest : public testing::Test {
 protected:
  SecondFactorsTest() {
    database.migrate(migrations());
    ada = accounts.create("ada@example.com", "Ada", false).value();
  }
  // What the app of whoever has the secret shows now.
  std::string code(int steps = 0) {
    const auto sealed = database.first("SELECT secret FROM second_factors",
                                       [](const auto& row) { return row.text(0); });
    return crypto::totp_code(box.open(*sealed, "second-factor/" + ada.id.value),
                             crypto::totp_step(clock.now()) + steps);
  }
  std::vector<std::string> set_up() {
    EXPECT_TRUE(factors.begin(ada));
    return factors.confirm(ada.id, code()).value();
  }

  store::Database database{":memory:"};
  FakeClock clock;
  crypto::SecretBox box;
  Accounts accounts{database, clock};
  SecondFactors factors{database, clock, box};
  Account ada;
};

TEST_F(SecondFactorsTest, CountOnceTheyAreConfirmed) {
  EXPECT_EQ(factors.confirm(ada.id, "123456").error().kind, Kind::invalid);
  const auto begun = factors.begin(ada).value();
  EXPECT_EQ(begun.url,
            "otpauth://totp/renga:ada%40example.com?secret=" + begun.secret + "&issuer=renga");
  EXPECT_FALSE(factors.enabled(ada.id));
  EXPECT_EQ(factors.confirm(ada.id, "nonsense").error().kind, Kind::invalid);
  const auto codes = factors.confirm(ada.id, code());
  ASSERT_TRUE(codes);
  EXPECT_EQ(codes->size(), 10U);
  EXPECT_TRUE(factors.enabled(ada.id));
  EXPECT_EQ(factors.begin(ada).error().kind, Kind::invalid);
}

TEST_F(SecondFactorsTest, TakeEachCodeOnce) {
  set_up();
  EXPECT_EQ(factors.check(ada.id, code()).error().kind, Kind::unauthorized);
  clock.advance(std::chrono::seconds(30));
  const auto shown = code();
  EXPECT_TRUE(factors.check(ada.id, shown.substr(0, 3) + " " + shown.substr(3)));
  EXPECT_EQ(factors.check(ada.id, shown).error().kind, Kind::unauthorized);
}

TEST_F(SecondFactorsTest, ForgiveClocksThatDifferALittle) {
  set_up();
  clock.advance(std::chrono::minutes(5));
  EXPECT_EQ(factors.check(ada.id, code(-2)).error().kind, Kind::unauthorized);
  EXPECT_EQ(factors.check(ada.id, code(2)).error().kind, Kind::unauthorized);
  EXPECT_TRUE(factors.check(ada.id, code(-1)));
  EXPECT_TRUE(factors.check(ada.id, code(1)));
  EXPECT_EQ(factors.check(ada.id, code()).error().kind, Kind::unauthorized);
}

TEST_F(SecondFactorsTest, TakeARecoveryCodeOnce) {
  const auto codes = set_up();
  EXPECT_TRUE(factors.check(ada.id, codes[3]));
  EXPECT_EQ(factors.check(ada.id, codes[3]).error().kind, Kind::unauthorized);
  EXPECT_TRUE(factors.check(ada.id, codes[4]));
  EXPECT_EQ(factors.check(ada.id, "").error().kind, Kind::unauthorized);
}

TEST_F(SecondFactorsTest, GoWithEverythingOfTheirs) {
  const auto codes = set_up();
  factors.remove(ada.id);
  EXPECT_FALSE(factors.enabled(ada.id));
  EXPECT_EQ(factors.check(ada.id, codes[0]).error().kind, Kind::unauthorized);
  EXPECT_TRUE(factors.begin(ada));
}

}  // namespace
}  // namespace renga::accounts

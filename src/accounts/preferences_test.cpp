#include "accounts/preferences.h"

#include <gtest/gtest.h>

#include "accounts/accounts.h"
#include "accounts/migrations.h"
#include "base/testing/fake_clock.h"

namespace renga::accounts {
namespace {

TEST(PreferencesTest, KeepWhatIsKnownAllOrNothing) {
  store::Database database{":memory:"};
  database.migrate(migrations());
  FakeClock clock;
  const auto ada = Accounts{database, clock}.create("ada@example.com", "Ada", false).value();
  Preferences preferences{database};
  ASSERT_TRUE(preferences.set(ada.id, {{"timezone", "UTC"}, {"dismissed-sms-banner", "true"}}));
  EXPECT_EQ(preferences.all(ada.id).at("timezone"), "UTC");
  ASSERT_TRUE(preferences.set(ada.id, {{"timezone", std::nullopt}}));
  EXPECT_EQ(preferences.all(ada.id).size(), 1U);
  EXPECT_EQ(
      preferences.set(ada.id, {{"dismissed-sms-banner", "false"}, {"colour", "red"}}).error().kind,
      Kind::invalid);
  EXPECT_EQ(preferences.set(ada.id, {{"dismissed-sms-banner", "perhaps"}}).error().kind,
            Kind::invalid);
  EXPECT_EQ(preferences.set(ada.id, {{"timezone", "a\nb"}}).error().kind, Kind::invalid);
  EXPECT_EQ(preferences.all(ada.id).at("dismissed-sms-banner"), "true");
}

}  // namespace
}  // namespace renga::accounts

#include "accounts/keys.h"

#include <gtest/gtest.h>

#include "accounts/accounts.h"
#include "accounts/migrations.h"
#include "accounts/people.h"
#include "accounts/testing/public_keys.h"
#include "base/testing/fake_clock.h"

namespace renga::accounts {
namespace {

class KeysTest : public testing::Test {
 protected:
  KeysTest() {
    database.migrate(migrations());
    ada = accounts.create("ada@example.com", "Ada", false).value().id;
    eve = accounts.create("eve@example.com", "Eve", false).value().id;
  }
  Kind refusal(std::string_view line) { return keys.add(ada, line).error().kind; }

  store::Database database{":memory:"};
  FakeClock clock;
  Accounts accounts{database, clock};
  Keys keys{database, clock};
  Id<Account> ada, eve;
};

TEST_F(KeysTest, KnowsAKeyByTheFingerprintOfSshKeygen) {
  const auto key = keys.add(ada, std::string("  ") + ed25519_key + " ada@laptop \n");
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->fingerprint, ed25519_fingerprint);
  EXPECT_EQ(key->comment, "ada@laptop");
  EXPECT_EQ(key->public_key, ed25519_key);
  EXPECT_EQ(keys.all(ada), std::vector{*key});
  EXPECT_EQ(keys.find(ada, key->id.value), key);
  EXPECT_EQ(keys.find(ada, key->fingerprint), key);
  EXPECT_EQ(keys.add(ada, ecdsa_key)->comment, "");
}

TEST_F(KeysTest, RefusesAKeyThatSomebodyHas) {
  ASSERT_TRUE(keys.add(ada, ed25519_key));
  EXPECT_EQ(keys.add(ada, std::string(ed25519_key) + " another comment").error().message,
            "You have added this key already.");
  EXPECT_EQ(keys.add(eve, ed25519_key).error().kind, Kind::invalid);
}

TEST_F(KeysTest, RefusesWhatIsNoPublicKey) {
  const std::string cut(ed25519_key, 40);
  for (const auto& line :
       {std::string(), std::string("hello"), std::string("ssh-dss AAAA"), cut,
        std::string("ssh-rsa ") + std::string(ed25519_key).substr(12),
        std::string(ed25519_key) + "\nssh-rsa AAAA", std::string("ssh-ed25519 !!!!"),
        std::string("ssh-ed25519 ////////"), std::string(20'000, 'a')})
    EXPECT_EQ(refusal(line), Kind::invalid) << line.substr(0, 60);
}

TEST_F(KeysTest, RefusesWeakKeysAndPrivateOnes) {
  EXPECT_NE(keys.add(ada, weak_rsa_key).error().message.find("1024 bits"), std::string::npos);
  const auto refused = keys.add(ada, "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n");
  EXPECT_NE(refused.error().message.find("not stored"), std::string::npos);
}

TEST_F(KeysTest, RemovesOnlyOnesOwn) {
  const auto key = keys.add(ada, ed25519_key).value();
  EXPECT_EQ(keys.remove(eve, key.id.value).error().kind, Kind::not_found);
  EXPECT_EQ(keys.remove(ada, key.id.value), key);
  EXPECT_TRUE(keys.all(ada).empty());
  EXPECT_TRUE(keys.add(eve, ed25519_key));
}

TEST_F(KeysTest, GoWithTheirAccount) {
  ASSERT_TRUE(keys.add(ada, ed25519_key));
  ASSERT_TRUE(People(database, clock, accounts).remove(ada));
  EXPECT_TRUE(keys.add(eve, ed25519_key));
}

}  // namespace
}  // namespace renga::accounts

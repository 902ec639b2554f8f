#include "apps/domains.h"

#include <gmock/gmock.h>

#include "apps/testing/house.h"

namespace renga::apps {
namespace {

using testing::HasSubstr;

class DomainsTest : public House {
 protected:
  std::string refusal(const App& app, const std::string& hostname) {
    const auto refused = domains.add(app, hostname);
    EXPECT_FALSE(refused) << hostname;
    if (refused) return "";
    EXPECT_EQ(refused.error().kind, Kind::invalid) << hostname;
    return refused.error().message;
  }
  Domains domains{database, clock, "apps.test"};
  App sushi = make("sushi");
  App maki = make("maki");
  App natto = apps.create(eve, {"natto", ""}).value();
};

TEST_F(DomainsTest, GivesEveryAppADefaultDomainThatFollowsItsName) {
  const auto before = domains.all(sushi);
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before[0].hostname, "sushi.apps.test");
  EXPECT_FALSE(before[0].custom);

  const auto renamed = apps.update(sushi.id, {"nigiri", {}, {}}).value();
  const auto after = domains.all(renamed);
  EXPECT_EQ(after[0].hostname, "nigiri.apps.test");
  EXPECT_EQ(after[0].id, before[0].id);
}

TEST_F(DomainsTest, DerivesAStableVersionFourIdForTheDefaultDomain) {
  const auto id = domains.all(sushi)[0].id.value;
  EXPECT_TRUE(is_uuid(id)) << id;
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_NE(id, domains.all(maki)[0].id.value);
  EXPECT_NE(id, sushi.id.value);
  EXPECT_EQ(domains.find(sushi, id)->hostname, "sushi.apps.test");
}

TEST_F(DomainsTest, AddsFindsAndRemovesCustomOnes) {
  const auto added = domains.add(sushi, "WWW.Example.com.");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->hostname, "www.example.com");
  EXPECT_TRUE(added->custom);
  ASSERT_TRUE(domains.add(sushi, "*.example.com"));
  EXPECT_EQ(domains.find(sushi, "www.EXAMPLE.com"), added);
  EXPECT_EQ(domains.find(sushi, added->id.value), added);
  EXPECT_EQ(domains.find(maki, "www.example.com").error().kind, Kind::not_found);
  EXPECT_EQ(domains.all(sushi).size(), 3u);
  EXPECT_EQ(domains.all_custom().size(), 2u);
  EXPECT_EQ(domains.remove(sushi, "www.example.com"), added);
  EXPECT_EQ(domains.all(sushi).size(), 2u);
}

TEST_F(DomainsTest, KeepsTheDefaultDomain) {
  const auto refused = domains.remove(sushi, "sushi.apps.test");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("default domain"));
}

TEST_F(DomainsTest, RefusesWhatIsNoHostName) {
  EXPECT_THAT(refusal(sushi, ""), HasSubstr("dot"));
  EXPECT_THAT(refusal(sushi, "localhost"), HasSubstr("dot"));
  EXPECT_THAT(refusal(sushi, "https://example.com"), HasSubstr("alone"));
  EXPECT_THAT(refusal(sushi, "example.com:80"), HasSubstr("alone"));
  EXPECT_THAT(refusal(sushi, "example.com/x"), HasSubstr("alone"));
  EXPECT_THAT(refusal(sushi, "10.0.0.1"), HasSubstr("address"));
  EXPECT_THAT(refusal(sushi, "caf\xc3\xa9.example.com"), HasSubstr("xn--"));
  EXPECT_THAT(refusal(sushi, std::string(250, 'a') + ".com"), HasSubstr("253"));
  for (const auto* bad : {"a..com", "-a.com", "a-.com", "a_b.com", "a b.com", "*.com",
                          "w*.example.com", "a.*.com", "*", ".example.com"})
    EXPECT_THAT(refusal(sushi, bad), HasSubstr("is not a host name")) << bad;
}

TEST_F(DomainsTest, RefusesThePlatformsOwnDomain) {
  for (const auto* bad : {"apps.test", "maki.apps.test", "*.apps.test", "a.b.APPS.test"})
    EXPECT_THAT(refusal(sushi, bad), HasSubstr("under apps.test")) << bad;
  EXPECT_TRUE(domains.add(sushi, "myapps.test"));
}

TEST_F(DomainsTest, GivesAHostNameToOneAppOnly) {
  ASSERT_TRUE(domains.add(sushi, "www.example.com"));
  EXPECT_EQ(refusal(sushi, "www.example.com"), "www.example.com is already a domain of sushi.");
  EXPECT_EQ(refusal(natto, "WWW.example.com"),
            "www.example.com is currently in use by another app.");
  ASSERT_TRUE(apps.destroy(sushi.id));
  EXPECT_TRUE(domains.add(natto, "www.example.com"));
}

TEST_F(DomainsTest, KeepsOtherAccountsOutFromUnderAWildcard) {
  ASSERT_TRUE(domains.add(sushi, "*.example.com"));
  EXPECT_THAT(refusal(natto, "www.example.com"), HasSubstr("*.example.com"));
  EXPECT_THAT(refusal(natto, "a.b.example.com"), HasSubstr("*.example.com"));
  EXPECT_THAT(refusal(natto, "*.b.example.com"), HasSubstr("*.example.com"));
  EXPECT_TRUE(domains.add(maki, "www.example.com"));
  EXPECT_TRUE(domains.add(natto, "example.com"));

  ASSERT_TRUE(domains.add(natto, "shop.example.org"));
  EXPECT_THAT(refusal(sushi, "*.example.org"), HasSubstr("shop.example.org"));
}

TEST_F(DomainsTest, HoldsAThousandPerApp) {
  auto transaction = database.begin();
  for (int i = 0; i < 1000; ++i)
    ASSERT_TRUE(domains.add(sushi, "d" + std::to_string(i) + ".example.com"));
  transaction.commit();
  EXPECT_THAT(refusal(sushi, "one-more.example.com"), HasSubstr("1,000"));
  EXPECT_TRUE(domains.add(maki, "one-more.example.com"));
}

}  // namespace
}  // namespace renga::apps

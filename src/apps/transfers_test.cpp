#include "apps/transfers.h"

#include "apps/testing/house.h"

namespace renga::apps {
namespace {

class TransfersTest : public House {
 protected:
  Transfers transfers{database, clock, apps};
  App sushi = make("sushi");
};

TEST_F(TransfersTest, GiveAnAppToWhoeverAccepts) {
  const auto offer = transfers.offer(sushi, eve).value();
  EXPECT_EQ(offer.state, "pending");
  EXPECT_EQ(transfers.all(ada).size(), 1U);
  EXPECT_EQ(transfers.all(eve).size(), 1U);
  EXPECT_EQ(transfers.find(eve, "sushi")->id, offer.id);
  EXPECT_EQ(apps.find_for(eve, "sushi", Permission::view).error().kind, Kind::not_found);

  EXPECT_EQ(transfers.decide(eve, offer.id.value, Verdict::accept)->state, "accepted");
  EXPECT_EQ(apps.find(sushi.id)->owner, eve.id);
  EXPECT_TRUE(apps.find_for(eve, "sushi", Permission::manage));
  EXPECT_TRUE(apps.find_for(ada, "sushi", Permission::operate));
  EXPECT_EQ(apps.find_for(ada, "sushi", Permission::manage).error().kind, Kind::forbidden);
  EXPECT_EQ(transfers.decide(eve, offer.id.value, Verdict::decline).error().kind, Kind::conflict);
}

TEST_F(TransfersTest, AreForTheRecipientToDecide) {
  const auto offer = transfers.offer(sushi, eve).value();
  EXPECT_EQ(transfers.decide(ada, offer.id.value, Verdict::accept).error().kind, Kind::forbidden);
  EXPECT_EQ(transfers.decide(root, offer.id.value, Verdict::accept).error().kind, Kind::forbidden);
  EXPECT_EQ(transfers.decide(eve, "maki", Verdict::accept).error().kind, Kind::not_found);
  EXPECT_EQ(transfers.decide(eve, "sushi", Verdict::decline)->state, "declined");
  EXPECT_EQ(apps.find(sushi.id)->owner, ada.id);
  EXPECT_TRUE(transfers.offer(sushi, eve));
}

TEST_F(TransfersTest, AreOneAtATime) {
  EXPECT_EQ(transfers.offer(sushi, ada).error().kind, Kind::invalid);
  const auto offer = transfers.offer(sushi, eve).value();
  EXPECT_EQ(transfers.offer(sushi, root).error().kind, Kind::conflict);
  EXPECT_EQ(transfers.remove(eve, offer.id.value).error().kind, Kind::forbidden);
  EXPECT_TRUE(transfers.remove(ada, "sushi"));
  EXPECT_EQ(transfers.find(eve, offer.id.value).error().kind, Kind::not_found);
  EXPECT_TRUE(transfers.offer(sushi, root));
}

TEST_F(TransfersTest, AreNobodyElsesBusiness) {
  const auto bob = people.create("bob@example.com", "", false).value();
  const auto offer = transfers.offer(sushi, eve).value();
  EXPECT_EQ(transfers.find(bob, offer.id.value).error().kind, Kind::not_found);
  EXPECT_TRUE(transfers.all(bob).empty());
}

TEST_F(TransfersTest, OfAnOldOwnerAreWorthNothing) {
  const auto offer = transfers.offer(sushi, eve).value();
  ASSERT_TRUE(apps.set_owner(sushi.id, root));
  EXPECT_EQ(transfers.decide(eve, offer.id.value, Verdict::accept).error().kind, Kind::conflict);
}

TEST_F(TransfersTest, GoWithTheirApp) {
  ASSERT_TRUE(transfers.offer(sushi, eve));
  ASSERT_TRUE(apps.destroy(sushi.id));
  EXPECT_TRUE(transfers.all(eve).empty());
}

}  // namespace
}  // namespace renga::apps

// The books against a provider that keeps its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "addons/testing/market_house.h"
#include "addons/undelete.h"

namespace renga::addons {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using AddonsTest = MarketHouse;

TEST_F(AddonsTest, ProvisionsAndSetsTheConfigVarsOfItsAttachment) {
  const auto addon = create();
  ASSERT_TRUE(addon) << addon.error().message;
  EXPECT_EQ(addon->state, State::provisioned);
  EXPECT_THAT(addon->name, StartsWith("tank-"));
  EXPECT_EQ(addon->message, "ready");
  EXPECT_EQ(releases.config(sushi.id), (apps::ConfigVars{{"TANK_URL", "tank://one"}}));
  const auto all = descriptions(sushi);
  EXPECT_EQ(all[all.size() - 2], "Attach TANK (@ref:" + addon->name + ")");
  EXPECT_EQ(all.back(), "@ref:" + addon->name + " completed provisioning, setting TANK_URL.");
  EXPECT_EQ(market->owed.email_of(releases.newest(sushi.id).user), "heroku-tank@addons.heroku.com");
  EXPECT_THAT(releases.newest(sushi.id).addon_plans, ElementsAre("heroku-tank:basic"));
  EXPECT_EQ(provider.last.callback_url, "https://paas.example.com/addons/" + addon->id.value);
  EXPECT_EQ(books(), provider.resources);
}

TEST_F(AddonsTest, NamesTheSecondByAColour) {
  ASSERT_TRUE(create());
  ASSERT_TRUE(create("heroku-tank:big"));
  const auto vars = releases.config(sushi.id);
  ASSERT_EQ(vars.size(), 2u);
  EXPECT_THAT(vars.begin()->first, StartsWith("HEROKU_TANK_"));
}

TEST_F(AddonsTest, ARefusalLeavesNothingBehind) {
  const auto before = descriptions(sushi);
  provider.answers(422, "No tanks today.");
  const auto refused = create();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Kind::invalid, "No tanks today."}));
  settle();
  EXPECT_THAT(provider.calls, ElementsAre("POST basic"));
  EXPECT_THAT(addons().all(), IsEmpty());
  EXPECT_EQ(descriptions(sushi), before);
}

TEST_F(AddonsTest, WhatMayHaveBeenMadeIsDeletedUntilTheProviderSaysSo) {
  provider.kept_despite_answer = true;
  for (const int status : {0, 500, 302}) {
    provider.answers(status);
    provider.answers(503);
    provider.answers(0);
    EXPECT_EQ(create().error().kind, Kind::unavailable);
    settle();
    EXPECT_THAT(provider.resources, IsEmpty()) << status;
    EXPECT_THAT(addons().all(), IsEmpty());
  }
  EXPECT_TRUE(create());
}

TEST_F(AddonsTest, RefusesAnAnswerThatSetsWhatIsNotInTheManifest) {
  provider.config = {{"PATH", "/tmp"}};
  EXPECT_EQ(create().error().kind, Kind::unavailable);
  settle();
  EXPECT_THAT(provider.resources, IsEmpty());
  EXPECT_THAT(releases.config(sushi.id), IsEmpty());
}

TEST_F(AddonsTest, AProviderMayTakeItsTime) {
  provider.answers(202);
  const auto addon = create();
  EXPECT_EQ(addon->state, State::provisioning);
  EXPECT_THAT(releases.config(sushi.id), IsEmpty());
  EXPECT_EQ(addons()
                .attach(*addon, sushi, ada, {.name = "OTHER", .name_space = {}, .confirm = {}})
                .error()
                .kind,
            Kind::invalid);
  ASSERT_TRUE(addons().set_config(*addon, "", {{"HEROKU_TANK_URL", "tank://late"}}));
  EXPECT_THAT(releases.config(sushi.id), IsEmpty());
  EXPECT_EQ(addons().provisioned(*addon)->state, State::provisioned);
  EXPECT_EQ(addons().provisioned(*addon)->state, State::provisioned);  // twice
  EXPECT_EQ(releases.config(sushi.id).at("TANK_URL"), "tank://late");

  provider.answers(202);
  const auto never = create();
  clock.advance(std::chrono::hours(13));
  market->provisioner.work();
  EXPECT_EQ(addons().find(never->id.value)->state, State::deprovisioned);
  EXPECT_EQ(provider.calls.back(), "DELETE");
}

TEST_F(AddonsTest, TheProviderMayCallBackBeforeItsAnswerIsRead) {
  provider.answers(202);
  provider.meanwhile = [&] {
    provider.meanwhile = [] {};
    const auto addon = addons().all().front();
    ASSERT_TRUE(addons().set_config(addon, "", {{"HEROKU_TANK_URL", "tank://quick"}}));
    ASSERT_TRUE(addons().provisioned(addon));
  };
  EXPECT_EQ(create()->state, State::provisioned);
  EXPECT_EQ(releases.config(sushi.id).at("TANK_URL"), "tank://quick");
}

TEST_F(AddonsTest, DestroyedWhileItIsMadeItIsGoneAfterwards) {
  provider.meanwhile = [&] {
    provider.meanwhile = [] {};
    const auto addon = addons().all().front();
    EXPECT_EQ(addons().destroy(addon, ada, Addons::Elsewhere::refuse)->state,
              State::deprovisioning);
  };
  ASSERT_TRUE(create());
  settle();
  EXPECT_THAT(addons().all(), IsEmpty());
  EXPECT_THAT(provider.resources, IsEmpty());
  EXPECT_THAT(releases.config(sushi.id), IsEmpty());
}

TEST_F(AddonsTest, ChangesThePlanOrLeavesIt) {
  const auto addon = create().value();
  EXPECT_EQ(addons().change_plan(addon, "heroku-tank:enormous").error().kind, Kind::not_found);
  provider.answers(422, "Not today.");
  EXPECT_EQ(addons().change_plan(addon, "heroku-tank:big").error().message, "Not today.");
  EXPECT_EQ(books(), provider.resources);
  provider.answers(500);
  EXPECT_EQ(addons().change_plan(addon, "heroku-tank:big").error().kind, Kind::unavailable);
  settle();
  EXPECT_EQ(books().at(addon.id.value), "big");
  EXPECT_EQ(books(), provider.resources);
}

TEST_F(AddonsTest, ConfigOfTheProviderReachesEveryAppThatItIsAttachedTo) {
  const auto addon = create().value();
  ASSERT_TRUE(
      addons().attach(addon, maki, ada, {.name = "store", .name_space = {}, .confirm = {}}));
  EXPECT_EQ(releases.config(maki.id).at("STORE_URL"), "tank://one");
  EXPECT_EQ(descriptions(maki).back(), "Attach STORE (@ref:" + addon.name + ")");
  ASSERT_TRUE(addons().set_config(addon, "", {{"HEROKU_TANK_URL", "tank://two"}}));
  EXPECT_EQ(releases.config(maki.id).at("STORE_URL"), "tank://two");
  EXPECT_EQ(releases.config(sushi.id).at("TANK_URL"), "tank://two");
  EXPECT_EQ(descriptions(maki).back(), "Update STORE by heroku-tank");
  EXPECT_EQ(addons().set_config(addon, "", {{"PATH", "x"}}).error().kind, Kind::invalid);

  EXPECT_EQ(addons().destroy(addon, ada, Addons::Elsewhere::refuse).error().kind, Kind::invalid);
  EXPECT_EQ(addons().destroy(addon, ada, Addons::Elsewhere::detach)->state, State::deprovisioned);
  EXPECT_THAT(releases.config(maki.id), IsEmpty());
  EXPECT_EQ(descriptions(maki).back(), "Detach STORE (@ref:" + addon.name + ")");
}

TEST_F(AddonsTest, AnAppThatItIsAttachedToTwiceIsReleasedOnce) {
  const auto addon = create().value();
  for (const auto* name : {"store", "spare"})
    ASSERT_TRUE(addons().attach(addon, maki, ada, {.name = name, .name_space = {}, .confirm = {}}));
  const auto before = descriptions(maki).size();
  ASSERT_TRUE(addons().set_config(addon, "", {{"HEROKU_TANK_URL", "tank://two"}}));
  EXPECT_EQ(descriptions(maki).size(), before + 1);
  EXPECT_EQ(descriptions(maki).back(), "Update SPARE, STORE by heroku-tank");
  EXPECT_EQ(releases.config(maki.id).at("STORE_URL"), "tank://two");
  EXPECT_EQ(releases.config(maki.id).at("SPARE_URL"), "tank://two");
  EXPECT_THAT(addons().destroy(addon, ada, Addons::Elsewhere::refuse).error().message,
              HasSubstr("attached to other apps: maki. "));
}

TEST_F(AddonsTest, NamesInUseAreTakenOverWithAConfirmationOnly) {
  ASSERT_TRUE(releases.set_config(sushi.id, ada.id, {{"CACHE_URL", "mine"}}));
  EXPECT_EQ(create("heroku-tank", "cache").error().kind, Kind::conflict);
  EXPECT_EQ(create("heroku-tank", "cache", "maki").error().kind, Kind::conflict);
  const auto first = create("heroku-tank", "cache", "sushi").value();
  EXPECT_EQ(releases.config(sushi.id).at("CACHE_URL"), "tank://one");
  // Its last attachment would be gone.
  EXPECT_EQ(create("heroku-tank", "cache", "sushi").error().kind, Kind::invalid);
  ASSERT_TRUE(addons().attach(first, sushi, ada, {.name = "OLD", .name_space = {}, .confirm = {}}));
  provider.config = {{"HEROKU_TANK_URL", "tank://new"}};
  ASSERT_TRUE(create("heroku-tank", "cache", "sushi"));
  EXPECT_EQ(releases.config(sushi.id),
            (apps::ConfigVars{{"CACHE_URL", "tank://new"}, {"OLD_URL", "tank://one"}}));
  EXPECT_EQ(addons().detach(addons().find_attachment_on(sushi.id, "OLD").value(), ada).error().kind,
            Kind::invalid);
}

TEST_F(AddonsTest, WhatIsMadeUpStepsAsideForVarsThatWereSetByHand) {
  ASSERT_TRUE(releases.set_config(sushi.id, ada.id, {{"TANK_URL", "mine"}}));
  ASSERT_TRUE(create());
  EXPECT_EQ(releases.config(sushi.id).at("TANK_URL"), "mine");
  EXPECT_EQ(releases.config(sushi.id).size(), 2u);
}

TEST_F(AddonsTest, AnAppThatGoesTakesItsAddonsWithIt) {
  create();
  addons()
      .attach(addons().all().front(), maki, ada, {.name = "STORE", .name_space = {}, .confirm = {}})
      .value();
  provider.answers(500);
  {
    auto transaction = database.begin();
    addons().app_destroyed(sushi.id, ada);
    ASSERT_TRUE(apps.destroy(sushi.id));
    transaction.commit();
  }
  settle();
  EXPECT_THAT(provider.resources, IsEmpty());
  EXPECT_THAT(addons().all(), IsEmpty());
  EXPECT_THAT(releases.config(maki.id), IsEmpty());

  // Even where nobody told this room.
  ASSERT_TRUE(addons().create(
      maki, ada,
      {.plan = "heroku-tank", .name = {}, .attachment = {}, .options = {}, .confirm = {}}));
  ASSERT_TRUE(apps.destroy(maki.id));
  settle();
  EXPECT_THAT(provider.resources, IsEmpty());
}

TEST_F(AddonsTest, OnlyAnAnswerThatItIsGoneEndsIt) {
  const auto addon = create().value();
  for (const int status : {404, 401, 422, 500, 0, 301}) provider.answers(status);
  EXPECT_EQ(addons().destroy(addon, ada, Addons::Elsewhere::refuse)->state, State::deprovisioning);
  settle();
  EXPECT_THAT(provider.resources, IsEmpty());
  EXPECT_EQ(addons().find(addon.id.value)->state, State::deprovisioned);
  EXPECT_EQ(std::ranges::count(provider.calls, "DELETE"), 7);
}

TEST_F(AddonsTest, TokensEndWithTheAddon) {
  const auto addon = create().value();
  const auto secret = catalog().secrets(addon.service).client_secret;
  EXPECT_FALSE(market->grants.exchange(provider.last.grant_code, "wrong"));
  const auto tokens = market->grants.exchange(provider.last.grant_code, secret).value();
  EXPECT_EQ(market->grants.check(tokens.access_token).value(), addon.id);
  EXPECT_FALSE(market->grants.check(tokens.refresh_token));
  clock.advance(std::chrono::hours(9));
  EXPECT_FALSE(market->grants.check(tokens.access_token));
  EXPECT_FALSE(market->grants.exchange(provider.last.grant_code, secret));
  const auto fresh = market->grants.refresh(tokens.refresh_token, secret).value();
  EXPECT_TRUE(market->grants.check(fresh.access_token));
  ASSERT_TRUE(addons().destroy(addon, ada, Addons::Elsewhere::refuse));
  EXPECT_FALSE(market->grants.check(fresh.access_token));
  EXPECT_FALSE(market->grants.refresh(tokens.refresh_token, secret));
}

TEST_F(AddonsTest, WhatWasDestroyedComesBackToAnApp) {
  const auto addon = create().value();
  Undelete undelete(database, clock, *market);
  const auto refused = [&] { return undelete.bring_back(addon, maki, ada).error().message; };
  EXPECT_THAT(refused(), HasSubstr("is not destroyed"));
  ASSERT_TRUE(addons().destroy(addon, ada, Addons::Elsewhere::refuse));
  EXPECT_THAT(undelete.candidates(), IsEmpty());
  EXPECT_THAT(refused(), HasSubstr("keeps nothing"));

  auto keeps = Manifest::parse(tank).value();
  keeps.data_paths = {"/redis/v0/databases"};
  ASSERT_TRUE(catalog().put(keeps));
  ASSERT_EQ(undelete.candidates().size(), 1u);
  provider.answers(422, "It is gone.");
  EXPECT_EQ(refused(), "It is gone.");
  EXPECT_THAT(refused(), HasSubstr("still being destroyed"));
  market->provisioner.work();
  provider.answers(500);
  EXPECT_THAT(refused(), HasSubstr("gave no usable answer"));
  market->provisioner.work();
  EXPECT_EQ(books(), provider.resources);
  EXPECT_EQ(undelete.candidates().at(0).former_owner, sushi.owner) << "of the app that it was of";

  const auto back = undelete.bring_back(addon, maki, ada).value();
  EXPECT_TRUE(provider.last.undelete) << "nothing empty instead";
  EXPECT_FALSE(back.former_owner);
  EXPECT_EQ(back.state, State::provisioned);
  EXPECT_EQ(back.id, addon.id);
  EXPECT_EQ(back.app, maki.id);
  EXPECT_EQ(books(), provider.resources);
  ASSERT_TRUE(addons().attach(back, maki, ada, {}));
  EXPECT_EQ(releases.config(maki.id), (apps::ConfigVars{{"TANK_URL", "tank://one"}}));

  ASSERT_TRUE(addons().destroy(back, ada, Addons::Elsewhere::refuse));
  // Neither a new name nor an attempt that fails makes the week longer.
  clock.advance(std::chrono::hours(6 * 24));
  ASSERT_TRUE(addons().rename(back, "old-tank"));
  provider.answers(422, "Not now.");
  EXPECT_EQ(refused(), "Not now.");
  market->provisioner.work();
  clock.advance(std::chrono::hours(25));
  EXPECT_THAT(undelete.candidates(), IsEmpty());
  EXPECT_THAT(refused(), HasSubstr("more than 7 days ago"));
}

TEST_F(AddonsTest, WhatComesBackMayMeetTheNameOfAnother) {
  auto keeps = Manifest::parse(tank).value();
  keeps.data_paths = {"/redis/v0/databases"};
  ASSERT_TRUE(catalog().put(keeps));
  const auto addon = create().value();
  ASSERT_TRUE(addons().destroy(addon, ada, Addons::Elsewhere::refuse));
  auto other = addons().rename(create().value(), addon.name).value();
  Undelete undelete(database, clock, *market);
  EXPECT_THAT(undelete.bring_back(addon, maki, ada).error().message,
              HasSubstr("Another add-on is called"));
  ASSERT_TRUE(addons().destroy(other, ada, Addons::Elsewhere::refuse));
  EXPECT_TRUE(undelete.bring_back(addon, maki, ada)) << "both are destroyed";
}

TEST_F(AddonsTest, ReleasesThatWereOwedArePaidAfterACrash) {
  const auto addon = create().value();
  {
    auto transaction = database.begin();
    market->books.set_config(addon.id, "", {{"HEROKU_TANK_URL", "tank://unpaid"}});
    market->provisioner.owe_update(addon, std::nullopt);
    transaction.commit();
  }
  EXPECT_EQ(releases.config(sushi.id).at("TANK_URL"), "tank://one");
  make_market();
  market->provisioner.work();
  EXPECT_EQ(releases.config(sushi.id).at("TANK_URL"), "tank://unpaid");
}

TEST(ManifestTest, SaysWhatIsWrong) {
  const auto refuse = [](std::string_view text) {
    const auto manifest = Manifest::parse(text);
    return manifest ? std::string("accepted") : manifest.error().message;
  };
  EXPECT_THAT(refuse("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refuse(R"({"id": "x1"})"), HasSubstr("`api` is missing"));
  const auto with = [&](const std::string& id, const std::string& vars, const std::string& url) {
    return refuse(R"({"id": ")" + id + R"(", "api": {"config_vars": [)" + vars +
                  R"(], "production": {"base_url": ")" + url + R"("}}})");
  };
  EXPECT_EQ(with("tank", R"("TANK_URL")", "https://tank.example/x"), "accepted");
  EXPECT_EQ(with("tank", R"("TANK_URL")", "http://127.0.0.1:80/x"), "accepted");
  EXPECT_THAT(with("Tank", "", "https://tank.example/x"), HasSubstr("`id`"));
  EXPECT_THAT(with("tank", R"("PATH")", "https://tank.example/x"), HasSubstr("TANK_"));
  EXPECT_THAT(with("tank", R"("TANK_url")", "https://tank.example/x"), HasSubstr("A-Z"));
  EXPECT_THAT(with("tank", "", "http://tank.example/x"), HasSubstr("https"));
  EXPECT_THAT(with("tank", "", "http://localhost.evil.example/x"), HasSubstr("https"));
  EXPECT_THAT(with("tank", "", "ftp://tank.example/x"), HasSubstr("https"));
  EXPECT_THAT(with("tank", "", "https://user:pw@tank.example/x"), HasSubstr("without a user"));
  const auto manifest = Manifest::parse(tank).value();
  EXPECT_EQ(Manifest::parse(manifest.to_json())->to_json(), manifest.to_json());
}

}  // namespace
}  // namespace renga::addons

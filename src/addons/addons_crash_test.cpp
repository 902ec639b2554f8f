// Control is killed at every step of a story of add-ons, one run a step, and comes back: at each
// commit to the store, and at each call of the provider. What was asked for happens, and happens
// once, and the books are the provider's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "addons/testing/market_house.h"
#include "addons/undelete.h"
#include "store/testing/commits.h"

namespace renga::addons {
namespace {

using store::Commits;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

// Before the store is opened.
struct Counted {
  Commits commits;
};

class Story : public Counted, public MarketHouse {
 public:
  enum class Answer { at_once, later };
  explicit Story(Answer answer) {
    auto keeps = Manifest::parse(tank).value();
    keeps.data_paths = {"/redis/v0/databases"};
    catalog().put(keeps).value();
    provider.meanwhile = [this] { commits.step("ask the provider: " + provider.calls.back()); };
    if (answer == Answer::later) provider.answers(202);
  }

  void play() {
    act([&] { provision("full-tank", sushi); });
    // Where its provider said "later". It says so until it is heard.
    act([&] {
      if (find("full-tank").state == State::provisioned) return;
      addons().set_config(find("full-tank"), "", {{"HEROKU_TANK_URL", "tank://one"}}).value();
      addons().provisioned(find("full-tank")).value();
    });
    act([&] {
      if (addons().attachments_on(maki.id).empty())
        addons()
            .attach(find("full-tank"), maki, ada,
                    {.name = "STORE", .name_space = {}, .confirm = {}})
            .value();
    });
    act([&] { addons().change_plan(find("full-tank"), "heroku-tank:big").value(); });
    EXPECT_EQ(provider.resources[find("full-tank").id.value], "big");
    act([&] {
      addons().set_config(find("full-tank"), "", {{"HEROKU_TANK_URL", "tank://two"}}).value();
    });
    EXPECT_EQ(releases.config(sushi.id), (apps::ConfigVars{{"TANK_URL", "tank://two"}}));
    EXPECT_EQ(releases.config(maki.id), (apps::ConfigVars{{"STORE_URL", "tank://two"}}));

    const auto full = find("full-tank");
    act([&] { addons().destroy(full, ada, Addons::Elsewhere::detach).value(); });
    EXPECT_THAT(provider.resources, IsEmpty());
    EXPECT_THAT(releases.config(maki.id), IsEmpty());
    act([&] {
      if (addons().find(full.id.value)->state == State::deprovisioned)
        Undelete(database, clock, *market).bring_back(full, sushi, ada).value();
    });
    EXPECT_TRUE(provider.last.undelete);
    EXPECT_EQ(find("full-tank").id, full.id);

    act([&] { provision("spare-tank", maki); });
    told = {descriptions(sushi), descriptions(maki)};
    act([&] { remove(maki); });
    act([&] { remove(sushi); });
    EXPECT_THAT(books(), IsEmpty());
    EXPECT_THAT(provider.resources, IsEmpty());
  }

  int deaths = 0;
  std::vector<std::vector<std::string>> told;  // the apps' releases

 private:
  void TestBody() override {}

  // Does what somebody wants, who asks again if control dies of it. The first answer of control
  // that is back may already be the right one.
  template <class Act>
  void act(Act wanted) {
    try {
      wanted();
    } catch (const Commits::Killed&) {
    } catch (const store::Failure&) {
    }
    if (!commits.revive()) return check();
    ++deaths;
    make_market();
    // Shorter than the platform's patience with a provider that said "later".
    for (int round = 0; round < 5; ++round) {
      clock.advance(std::chrono::minutes(1));
      market->provisioner.work();
    }
    check();
    wanted();
    check();
  }
  void check() { EXPECT_EQ(books(), provider.resources); }

  std::optional<Addon> there(const std::string& name) {
    for (auto& addon : addons().all())
      if (addon.name == name) return addon;
    return std::nullopt;
  }
  Addon find(const std::string& name) { return there(name).value(); }

  void provision(const std::string& name, const apps::App& app) {
    if (!there(name))
      addons()
          .create(
              app, ada,
              {.plan = "heroku-tank", .name = name, .attachment = {}, .options = {}, .confirm = {}})
          .value();
  }
  void remove(const apps::App& app) {
    if (apps.find(app.id)) {
      auto transaction = database.begin();
      addons().app_destroyed(app.id, ada);
      apps.destroy(app.id).value();
      transaction.commit();
    }
    market->provisioner.work();
  }
};

class AddonsCrash : public testing::TestWithParam<Story::Answer> {};

TEST_P(AddonsCrash, BooksAgreeWhereverControlDies) {
  std::vector<std::string> steps;
  std::vector<std::vector<std::string>> told;
  {
    Story undisturbed(GetParam());
    undisturbed.commits.die_at(0);
    undisturbed.play();
    ASSERT_EQ(undisturbed.deaths, 0);
    steps = undisturbed.commits.steps();
    told = undisturbed.told;
  }
  EXPECT_THAT(steps, Contains("commit addons, addon_attachments"));
  for (const auto* call : {"POST basic", "PUT big", "DELETE"})
    EXPECT_THAT(steps, Contains(HasSubstr(call)));

  for (std::size_t step = 1; step <= steps.size(); ++step) {
    SCOPED_TRACE("killed at step " + std::to_string(step) + ": " + steps[step - 1]);
    Story story(GetParam());
    story.commits.die_at(step);
    story.play();
    ASSERT_GE(story.commits.steps().size(), step);
    EXPECT_EQ(story.commits.steps()[step - 1], steps[step - 1]);
    EXPECT_EQ(story.deaths, 1);
    EXPECT_EQ(story.told, told);
    if (testing::Test::HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Provider, AddonsCrash,
                         testing::Values(Story::Answer::at_once, Story::Answer::later),
                         [](const auto& answer) {
                           return answer.param == Story::Answer::later ? "AnswersLater"
                                                                       : "AnswersAtOnce";
                         });

}  // namespace
}  // namespace renga::addons

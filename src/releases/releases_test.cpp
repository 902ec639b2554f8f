#include "releases/releases.h"

#include <gmock/gmock.h>

#include <thread>

#include "releases/testing/house.h"

namespace renga::releases {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ReleasesTest : public House {
 protected:
  ReleasesTest() {
    releases.append_first(sushi.id, ada.id);
    releases.on_change([this](const Release& release) {
      news.push_back("v" + std::to_string(release.version) + " " +
                     std::to_string(static_cast<int>(release.status)));
    });
  }

  Slug slug(const std::string& content, ProcessTypes types = {{"web", "bin/web"}}) {
    return slugs.create(wanted(sushi, std::move(types)), build(content)).value();
  }
  Slug slug_with_command(const std::string& content) {
    return slug(content, {{"web", "bin/web"}, {"release", "bin/migrate"}});
  }
  Release deploy(const Slug& what) {
    return releases.append(sushi.id, {.description = "Deploy e6442b7c",
                                      .user = ada.id,
                                      .slug = what.id,
                                      .config = {},
                                      .deploy = true});
  }
  void set(const apps::ConfigChanges& changes) {
    ASSERT_TRUE(releases.set_config(sushi.id, ada.id, changes));
  }

  crypto::SecretBox box;
  Releases releases{database, clock, apps, slugs, box};
  std::vector<std::string> news;
};

TEST_F(ReleasesTest, BeginsWithTheTwoReleasesOfANewApp) {
  const auto all = releases.all(sushi.id);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].description, "Enable Logplex");
  EXPECT_EQ(all[0].version, 2);
  EXPECT_TRUE(all[0].current);
  EXPECT_EQ(all[1].description, "Initial release");
  EXPECT_FALSE(all[1].current);
  EXPECT_EQ(all[1].user, ada.id);
  EXPECT_FALSE(all[1].slug);
  EXPECT_EQ(releases.current(sushi.id), all[0]);
  EXPECT_TRUE(news.empty());
}

TEST_F(ReleasesTest, NumbersEachAppsReleasesWithoutGaps) {
  releases.append_first(maki.id, ada.id);
  EXPECT_EQ(deploy(slug("one")).version, 3);
  EXPECT_EQ(releases.newest(maki.id).version, 2);
  EXPECT_EQ(deploy(slug("two")).version, 4);
}

TEST_F(ReleasesTest, FindsByIdAndVersion) {
  const auto made = deploy(slug("one"));
  EXPECT_EQ(releases.find(sushi.id, "3"), made);
  EXPECT_EQ(releases.find(sushi.id, "v3"), made);
  EXPECT_EQ(releases.find(sushi.id, made.id.value), made);
  EXPECT_EQ(releases.find(made.id), made);
  for (const auto* wrong : {"v9", "", "v", "-3", "latest"})
    EXPECT_EQ(releases.find(sushi.id, wrong).error().kind, Kind::not_found) << wrong;
  EXPECT_FALSE(releases.find(maki.id, made.id.value));
}

TEST_F(ReleasesTest, DescribesChangesOfConfig) {
  set({{"FOO", "1"}});
  EXPECT_EQ(releases.newest(sushi.id).description, "Set FOO config vars");
  set({{"FOO", "2"}, {"BAR", "1"}});
  EXPECT_EQ(releases.newest(sushi.id).description, "Set BAR, FOO config vars");
  set({{"FOO", std::nullopt}});
  EXPECT_EQ(releases.newest(sushi.id).description, "Remove FOO config vars");
  set({{"BAR", std::nullopt}, {"BAZ", "1"}});
  EXPECT_EQ(releases.newest(sushi.id).description, "Set BAZ, Remove BAR config vars");
  EXPECT_EQ(releases.config(sushi.id), (apps::ConfigVars{{"BAZ", "1"}}));
  EXPECT_EQ(releases.config(releases.find(sushi.id, "v3").value()),
            (apps::ConfigVars{{"FOO", "1"}}));
  EXPECT_THAT(news, ElementsAre("v3 1", "v4 1", "v5 1", "v6 1"));
}

TEST_F(ReleasesTest, MakesNoReleaseWhenNothingChanges) {
  set({{"FOO", "1"}});
  set({{"FOO", "1"}, {"BAR", std::nullopt}});
  EXPECT_EQ(releases.newest(sushi.id).version, 3);
  EXPECT_FALSE(releases.set_config(sushi.id, ada.id, {{"FOO", std::string("a\0b", 3)}}));
  EXPECT_EQ(releases.newest(sushi.id).version, 3);
}

TEST_F(ReleasesTest, SealsConfigInTheStore) {
  set({{"PASSWORD", "correct horse"}});
  const auto stored = database.first("SELECT config FROM releases WHERE version = 3",
                                     [](const store::Row& row) { return row.text(0); });
  EXPECT_EQ(stored->find("horse"), std::string::npos);
  EXPECT_EQ(stored->find("PASSWORD"), std::string::npos);
  // A row's config does not open under another release.
  database.run(
      "UPDATE releases SET config = (SELECT config FROM releases WHERE version = 3) WHERE version "
      "= 2");
  EXPECT_ANY_THROW(releases.config(releases.find(sushi.id, "v2").value()));
}

TEST_F(ReleasesTest, CarriesSlugAndConfigForward) {
  set({{"FOO", "1"}});
  const auto made = deploy(slug("one"));
  EXPECT_EQ(releases.config(made), (apps::ConfigVars{{"FOO", "1"}}));
  set({{"FOO", "2"}});
  EXPECT_EQ(releases.newest(sushi.id).slug, made.slug);
  EXPECT_TRUE(apps.find(sushi.id)->released_at);
}

TEST_F(ReleasesTest, WaitsForTheReleaseCommand) {
  const auto first = deploy(slug("one"));
  EXPECT_EQ(first.status, Status::succeeded);
  const auto second = deploy(slug_with_command("two"));
  EXPECT_EQ(second.status, Status::pending);
  EXPECT_FALSE(second.current);
  EXPECT_EQ(releases.current(sushi.id).id, first.id);
  EXPECT_THAT(releases.pending(), ElementsAre(second));

  releases.set_output_stream(second.id, "stream");
  releases.finish(second.id, Status::succeeded);
  EXPECT_EQ(releases.current(sushi.id).id, second.id);
  EXPECT_EQ(releases.current(sushi.id).output_stream, "stream");
  EXPECT_FALSE(releases.find(first.id)->current);
  EXPECT_TRUE(releases.pending().empty());
  EXPECT_THAT(news, ElementsAre("v3 1", "v4 0", "v4 0", "v4 1"));
}

TEST_F(ReleasesTest, RunsTheReleaseCommandForConfigAndRollback) {
  const auto made = deploy(slug_with_command("one"));
  releases.finish(made.id, Status::succeeded);
  set({{"FOO", "1"}});
  const auto changed = releases.newest(sushi.id);
  EXPECT_EQ(changed.status, Status::pending);
  releases.finish(changed.id, Status::succeeded);
  const auto back = releases.rollback(sushi.id, ada.id, "v3");
  EXPECT_EQ(back->status, Status::pending);
  releases.finish(back->id, Status::succeeded);
  const NewRelease update{.description = "Update", .user = ada.id, .slug = {}, .config = {}};
  EXPECT_EQ(releases.append(sushi.id, update).status, Status::succeeded);
}

// Else it would make the slug current before its command has run, or after it failed.
TEST_F(ReleasesTest, WhatFollowsAReleaseThatWaitsOrFailedRunsTheReleaseCommandToo) {
  const NewRelease update{.description = "Update", .user = ada.id, .slug = {}, .config = {}};
  const auto made = deploy(slug_with_command("one"));
  EXPECT_EQ(releases.append(sushi.id, update).status, Status::pending);
  EXPECT_EQ(releases.find(made.id)->status, Status::pending);
  releases.finish(releases.newest(sushi.id).id, Status::failed);
  EXPECT_EQ(releases.append(sushi.id, update).status, Status::pending);
}

TEST_F(ReleasesTest, KeepsWhatAddonsGiveApartFromWhatIsSetByHand) {
  set({{"FOO", "1"}});
  const auto give = [&](FromAddons addons) {
    return releases.append_with(sushi.id, [&]() -> std::optional<NewRelease> {
      return NewRelease{.description = "Attach DATABASE",
                        .user = ada.id,
                        .slug = {},
                        .config = {},
                        .addons = std::move(addons)};
    });
  };
  give({{{"DATABASE_URL", "postgres://one"}}, {"heroku-postgresql:basic"}});
  EXPECT_EQ(releases.config(sushi.id),
            (apps::ConfigVars{{"DATABASE_URL", "postgres://one"}, {"FOO", "1"}}));
  EXPECT_EQ(releases.newest(sushi.id).addon_plans,
            std::vector<std::string>{"heroku-postgresql:basic"});

  const apps::ConfigChanges theirs{{"DATABASE_URL", "postgres://mine"}};
  EXPECT_EQ(releases.set_config(sushi.id, ada.id, theirs).error().kind, Kind::invalid);
  EXPECT_EQ(releases.set_config(sushi.id, ada.id, {{"DATABASE_URL", {}}}).error().kind,
            Kind::invalid);
  const auto version = releases.newest(sushi.id).version;
  EXPECT_TRUE(releases.set_config(sushi.id, ada.id, {{"DATABASE_URL", "postgres://one"}}));
  EXPECT_EQ(releases.newest(sushi.id).version, version);

  const auto before = deploy(slug("one"));
  deploy(slug("two"));
  give({{{"DATABASE_URL", "postgres://two"}}, {}});
  set({{"FOO", "2"}});
  ASSERT_TRUE(releases.rollback(sushi.id, ada.id, std::to_string(before.version)));
  EXPECT_EQ(releases.config(sushi.id),
            (apps::ConfigVars{{"DATABASE_URL", "postgres://two"}, {"FOO", "1"}}));
}

TEST_F(ReleasesTest, AppendsNothingWhenThereIsNothingToAppend) {
  const auto version = releases.newest(sushi.id).version;
  EXPECT_FALSE(releases.append_with(sushi.id, [] { return std::optional<NewRelease>(); }));
  EXPECT_EQ(releases.newest(sushi.id).version, version);
}

TEST_F(ReleasesTest, AFailedReleaseNeverBecomesCurrent) {
  const auto first = deploy(slug("one"));
  const auto second = deploy(slug_with_command("two"));
  releases.finish(second.id, Status::failed);
  releases.finish(second.id, Status::succeeded);
  releases.set_output_stream(second.id, "late");
  EXPECT_EQ(releases.find(second.id)->status, Status::failed);
  EXPECT_FALSE(releases.find(second.id)->output_stream);
  EXPECT_EQ(releases.current(sushi.id).id, first.id);
  EXPECT_EQ(deploy(slug("three")).version, 5);
}

TEST_F(ReleasesTest, ExpiresOlderPendingReleasesWhenANewerOneSucceeds) {
  const auto one = deploy(slug_with_command("one"));
  const auto two = deploy(slug_with_command("two"));
  const auto three = deploy(slug_with_command("three"));
  releases.finish(two.id, Status::succeeded);
  EXPECT_EQ(releases.find(one.id)->status, Status::expired);
  EXPECT_EQ(releases.find(three.id)->status, Status::pending);
  EXPECT_EQ(news.back(), "v3 3");

  deploy(slug("four"));
  EXPECT_EQ(releases.find(three.id)->status, Status::expired);
  releases.finish(three.id, Status::succeeded);
  EXPECT_EQ(releases.current(sushi.id).version, 6);
}

TEST_F(ReleasesTest, AnOlderReleaseMaySucceedAfterANewerOneFailed) {
  const auto one = deploy(slug_with_command("one"));
  const auto two = deploy(slug_with_command("two"));
  releases.finish(two.id, Status::failed);
  releases.finish(one.id, Status::succeeded);
  EXPECT_EQ(releases.current(sushi.id).id, one.id);
}

TEST_F(ReleasesTest, RollsBackSlugAndConfig) {
  set({{"FOO", "old"}});
  const auto old = deploy(slug("one"));
  set({{"FOO", "new"}});
  deploy(slug("two"));
  const auto back = releases.rollback(sushi.id, ada.id, "v4").value();
  EXPECT_EQ(back.version, 7);
  EXPECT_EQ(back.description, "Rollback to v4");
  EXPECT_EQ(back.slug, old.slug);
  EXPECT_TRUE(back.current);
  EXPECT_EQ(releases.config(back), (apps::ConfigVars{{"FOO", "old"}}));
}

TEST_F(ReleasesTest, RefusesRollbacksThatCannotWork) {
  const auto refusal = [&](std::string_view identity) {
    const auto refused = releases.rollback(sushi.id, ada.id, identity);
    EXPECT_FALSE(refused) << identity;
    return refused ? "" : refused.error().message;
  };
  deploy(slug("one"));
  const auto failed = deploy(slug_with_command("two"));
  releases.finish(failed.id, Status::failed);
  deploy(slug_with_command("three"));
  EXPECT_THAT(refusal("v1"), HasSubstr("no slug"));
  EXPECT_THAT(refusal("v3"), HasSubstr("is the current release"));
  EXPECT_THAT(refusal("v4"), HasSubstr("command failed"));
  EXPECT_THAT(refusal("v5"), HasSubstr("not ended"));
  EXPECT_THAT(refusal("v6"), HasSubstr("Couldn't find"));
  deploy(slug("four"));
  EXPECT_THAT(refusal("v5"), HasSubstr("never released"));

  const auto third = releases.find(sushi.id, "v3").value();
  EXPECT_TRUE(releases.eligible_for_rollback(third));
  const auto tree = slugs.find(*third.slug)->checksum.substr(std::string("SHA256:").size());
  std::filesystem::remove(scratch.path / "slugs/objects" / (tree + "-tree"));
  EXPECT_THAT(refusal("v3"), HasSubstr("slug is gone"));
  EXPECT_FALSE(releases.eligible_for_rollback(third));
}

TEST_F(ReleasesTest, GoWithTheirApp) {
  deploy(slug("one"));
  ASSERT_TRUE(apps.destroy(sushi.id));
  EXPECT_TRUE(releases.all(sushi.id).empty());
}

TEST_F(ReleasesTest, TellsNewsWhenOthersCanReadTheStore) {
  bool read = false;
  releases.on_change([&](const Release& release) {
    // Another thread waits for as long as a transaction is open.
    std::thread([&, id = release.id] { read = releases.find(id).has_value(); }).join();
  });
  set({{"FOO", "1"}});
  EXPECT_TRUE(read);
}

TEST_F(ReleasesTest, NumbersWithoutGapsFromManyThreads) {
  releases.on_change([](const Release&) {});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(
            releases.set_config(sushi.id, ada.id, {{"V" + std::to_string(t), std::to_string(i)}}));
    });
  for (auto& thread : threads) thread.join();
  const auto all = releases.all(sushi.id);
  ASSERT_EQ(all.size(), 42u);
  EXPECT_EQ(all.front().version, 42);
  EXPECT_EQ(releases.config(sushi.id).size(), 4u);
}

}  // namespace
}  // namespace renga::releases

#include "setups/cron_jobs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <thread>

#include "base/testing/fake_clock.h"
#include "dynos/testing/platform.h"
#include "scheduler/migrations.h"
#include "setups/migrations.h"

namespace renga::setups {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Made before the rooms that read it.
struct Clockwork {
  FakeClock time;
};

class CronJobsTest : public testing::Test, protected Clockwork, protected dynos::Platform {
 protected:
  CronJobsTest() : Platform(time) {
    database.migrate(setups::migrations());
    database.migrate(scheduler::migrations());
  }
  std::filesystem::path next_build() { return scratch.path / fmt::format("build-{}", builds + 1); }
  releases::Release deploy_with(const std::string& app_json) {
    releases::write_file(next_build() / "app.json", app_json);
    return deploy(slug({{"worker", "work"}}));
  }
  std::vector<std::string> commands() {
    std::vector<std::string> all;
    for (const auto& job : jobs.all(sushi.id)) all.push_back(job.command + ": " + job.schedule);
    return all;
  }

  scheduler::Jobs jobs{database, time};
  scheduler::DeclaredJobs declared_jobs{database, jobs};
  CronJobs cron_jobs{{.database = database,
                      .apps = apps,
                      .releases = releases,
                      .slugs = slugs,
                      .declared_jobs = declared_jobs,
                      .logs = logs,
                      .outputs = outputs,
                      .clock = time}};
};

constexpr auto daily = R"({"cron": [{"command": "a", "schedule": "@daily"}]})";

TEST_F(CronJobsTest, FollowsWhatIsDeployedAndRolledBack) {
  cron_jobs.look_at(sushi.id);
  EXPECT_THAT(commands(), IsEmpty());
  const auto first = deploy_with(daily);
  cron_jobs.look_at(sushi.id);
  EXPECT_THAT(commands(), ElementsAre("a: @daily"));
  deploy(slug({{"worker", "work"}}, "no app.json"));
  cron_jobs.look_at(sushi.id);
  EXPECT_THAT(commands(), IsEmpty());
  ASSERT_TRUE(releases.rollback(sushi.id, ada.id, std::to_string(first.version)));
  cron_jobs.look_at(sushi.id);
  EXPECT_THAT(commands(), ElementsAre("a: @daily"));
}

TEST_F(CronJobsTest, SaysWhatItCannotTakeAndKeepsWhatThereWas) {
  deploy_with(daily);
  cron_jobs.look_at(sushi.id);
  deploy_with(R"({"cron": [{"command": "b", "schedule": "61 * * * *"}]})");
  cron_jobs.look_at(sushi.id);
  EXPECT_THAT(commands(), ElementsAre("a: @daily"));
  EXPECT_THAT(log(), HasSubstr("heroku[scheduler]: The cron of app.json is not taken"));
  // Once for each deploy.
  const auto said = log();
  cron_jobs.look_at(sushi.id);
  EXPECT_EQ(log(), said);
}

TEST_F(CronJobsTest, FollowsNoLinkOutOfTheSlug) {
  releases::write_file(scratch.path / "outside.json", daily);
  std::filesystem::create_directories(next_build());
  ASSERT_EQ(::symlink((scratch.path / "outside.json").c_str(), (next_build() / "app.json").c_str()),
            0);
  deploy(slug({{"worker", "work"}}));
  cron_jobs.look_at(sushi.id);
  EXPECT_THAT(commands(), IsEmpty());
}

TEST_F(CronJobsTest, LooksAtEveryAppWhenItStartsAndThenAtNews) {
  deploy_with(daily);
  releases.on_change([&](const releases::Release& release) { cron_jobs.release_changed(release); });
  cron_jobs.start();
  const auto becomes = [&](std::size_t count) {
    for (int i = 0; i < 2'000 && commands().size() != count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return commands().size() == count;
  };
  EXPECT_TRUE(becomes(1));
  deploy_with(R"({"cron": []})");
  EXPECT_TRUE(becomes(0));
}

}  // namespace
}  // namespace renga::setups

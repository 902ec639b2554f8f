#include "store/upgrade.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace renga::store {
namespace {

constexpr Migration apps_then[] = {{"apps/1", "CREATE TABLE apps (name TEXT) STRICT;"}};
constexpr Migration apps_now[] = {
    {"apps/1", "CREATE TABLE apps (name TEXT) STRICT;"},
    {"apps/2", "UPDATE apps SET name = 'changed';"},
};
constexpr Migration logs_now[] = {{"logs/1", "CREATE TABLE logs (line TEXT) STRICT;"}};

class UpgradeTest : public testing::Test {
 protected:
  UpgradeTest() { std::filesystem::create_directory(directory); }
  ~UpgradeTest() override { std::filesystem::remove_all(directory); }

  std::vector<std::filesystem::path> copies() const {
    std::vector<std::filesystem::path> found;
    if (std::filesystem::exists(directory / "upgrades"))
      for (const auto& entry : std::filesystem::directory_iterator(directory / "upgrades"))
        found.push_back(entry.path());
    return found;
  }
  static std::string name_in(Database& database) {
    return database.first("SELECT name FROM apps", [](const Row& row) { return row.text(0); })
        .value_or("");
  }

  std::filesystem::path directory =
      std::filesystem::temp_directory_path() / ("renga-upgrade-test-" + std::to_string(::getpid()));
  SystemClock clock;
  Database database{(directory / "renga.db").string()};
};

TEST_F(UpgradeTest, AFirstStartHasNothingToLose) {
  upgrade(database, clock, {apps_now, logs_now}, directory / "upgrades");
  database.run("INSERT INTO logs VALUES ('hello')");
  EXPECT_TRUE(copies().empty());
}

TEST_F(UpgradeTest, AStartOfTheSameProgramKeepsNoCopy) {
  upgrade(database, clock, {apps_now}, directory / "upgrades");
  upgrade(database, clock, {apps_now}, directory / "upgrades");
  EXPECT_TRUE(copies().empty());
}

TEST_F(UpgradeTest, ANewerProgramKeepsWhatTheTablesWere) {
  upgrade(database, clock, {apps_then}, directory / "upgrades");
  database.run("INSERT INTO apps VALUES ('sushi')");
  upgrade(database, clock, {apps_now, logs_now}, directory / "upgrades");
  EXPECT_EQ(name_in(database), "changed");
  ASSERT_EQ(copies().size(), 1U);
  struct stat facts {};
  ASSERT_EQ(::stat(copies()[0].c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  Database before(copies()[0].string());
  EXPECT_EQ(name_in(before), "sushi");
}

TEST_F(UpgradeTest, AnOlderProgramLeavesANewersTablesAlone) {
  upgrade(database, clock, {apps_now, logs_now}, directory / "upgrades");
  try {
    upgrade(database, clock, {apps_then, logs_now}, directory / "upgrades");
    FAIL() << "it went on";
  } catch (const std::runtime_error& refused) {
    EXPECT_NE(std::string(refused.what()).find("apps/2"), std::string::npos) << refused.what();
  }
}

TEST_F(UpgradeTest, TheNewestThreeCopiesStay) {
  upgrade(database, clock, {apps_then}, directory / "upgrades");
  std::vector<std::string> names;  // which migrations point to
  for (int i = 0; i < 5; ++i) names.push_back("more/" + std::to_string(i));
  std::vector<Migration> more;
  for (const auto& name : names) {
    more.push_back({name, "INSERT INTO apps VALUES ('one more');"});
    upgrade(database, clock, {apps_then, more}, directory / "upgrades");
  }
  auto kept = copies();
  ASSERT_EQ(kept.size(), 3U);
  std::ranges::sort(kept);
  Database newest(kept.back().string());
  EXPECT_EQ(
      newest.first("SELECT count(*) FROM apps", [](const Row& row) { return row.integer(0); }), 4);
}

}  // namespace
}  // namespace renga::store

// What control sends, as it comes: once, twice, not at all, or when a crash has come between.
#include "router/table_keeper.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>

#include "router/testing/changes.h"

namespace renga::router {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

// The state of the world after so many steps: each has one more app, and the first app's route
// differs in each.
RouteTable table_of(std::uint64_t step) {
  RouteTable table;
  table.generation = step;
  for (std::uint64_t i = 0; i < step; ++i) {
    Route route;
    route.app = "app-" + std::to_string(i);
    route.name = i == 0 ? "step-" + std::to_string(step) : route.app;
    table.hosts[route.app + ".test"] = table.routes.size();
    table.routes.push_back(std::move(route));
  }
  return table;
}

std::string change_to(std::uint64_t step) {
  return to_json(testing::change_between(table_of(step - 1), table_of(step)));
}

class TableKeeperTest : public ::testing::Test {
 protected:
  TableKeeperTest() {
    char name[] = "/tmp/renga-tables-XXXXXX";
    directory = ::mkdtemp(name);
    files.emplace(directory / "kept", 0);
    start();
  }
  ~TableKeeperTest() override {
    keeper.reset();
    fs::remove_all(directory);
  }

  // A router, started with what the last one has kept.
  void start() {
    keeper.reset();
    proxy = std::make_unique<Proxy>(Limits(), 1, ProxyEvents());
    keeper = std::make_unique<TableKeeper>(
        *proxy, *files,
        TableKeeper::Events{.on_gap = [this] { ++gaps; },
                            .on_known = [this](std::uint64_t known) { told.push_back(known); }});
  }
  void finish() {
    std::promise<void> done;
    keeper->when_done([&] { done.set_value(); });
    done.get_future().wait();
  }
  void take(std::uint64_t step) { keeper->take_change(change_to(step)); }
  // How the proxy sees the world; complete, or else nothing is said.
  std::string serves() {
    finish();
    const auto table = proxy->table();
    for (std::uint64_t i = 0; i < table->generation(); ++i) {
      if (table->find("app-" + std::to_string(i) + ".test") == nullptr) return "an app is missing";
    }
    const auto* first = table->find("app-0.test");
    return first == nullptr ? "nothing" : (*first)->route.name;
  }

  fs::path directory;
  std::optional<KeptFiles> files;
  int gaps = 0;
  std::vector<std::uint64_t> told;
  std::unique_ptr<Proxy> proxy;
  std::unique_ptr<TableKeeper> keeper;
};

TEST_F(TableKeeperTest, ATableAndItsChangesAreThereAfterARestart) {
  keeper->take_table(to_json(table_of(1)));
  for (const auto step : {2U, 3U, 4U}) take(step);
  EXPECT_EQ(serves(), "step-4");
  start();
  EXPECT_EQ(serves(), "step-4");
  EXPECT_EQ(gaps, 0);
}

TEST_F(TableKeeperTest, AChangeThatComesTwiceIsTakenOnce) {
  keeper->take_table(to_json(table_of(1)));
  for (const auto step : {2U, 2U, 3U, 2U}) take(step);
  EXPECT_EQ(serves(), "step-3");
  EXPECT_THAT(told, ElementsAre(2, 3));
  EXPECT_EQ(gaps, 0);
  start();
  EXPECT_EQ(serves(), "step-3");
}

TEST_F(TableKeeperTest, AfterAChangeThatIsLostNothingIsTakenButATable) {
  keeper->take_table(to_json(table_of(1)));
  for (const auto step : {3U, 2U, 4U}) take(step);  // 2 comes too late: what was 3 is not known
  EXPECT_EQ(serves(), "step-1");
  EXPECT_EQ(gaps, 1) << "asked for once";
  keeper->take_table(to_json(table_of(4)));
  take(5);
  EXPECT_EQ(serves(), "step-5");
  start();
  EXPECT_EQ(serves(), "step-5");
}

TEST_F(TableKeeperTest, AChangeThatIsNotUnderstoodIsAGap) {
  keeper->take_table(to_json(table_of(1)));
  keeper->take_change("{\"from\":1");
  EXPECT_EQ(serves(), "step-1");
  EXPECT_EQ(gaps, 1);
}

TEST_F(TableKeeperTest, ATableThatIsNotUnderstoodChangesNothing) {
  keeper->take_table(to_json(table_of(1)));
  keeper->take_table("{\"generation\":2}");
  take(2);
  EXPECT_EQ(serves(), "step-2");
}

// A crash may leave any part of the last change, and nothing of what was never written.
TEST_F(TableKeeperTest, WhatACrashLeavesOfAChangeIsNotTaken) {
  keeper->take_table(to_json(table_of(1)));
  for (const auto step : {2U, 3U}) take(step);
  finish();
  const auto changes = directory / "kept/routes.changes";
  const auto whole = fs::file_size(changes);
  const auto last = change_to(3).size() + 4;
  for (std::uintmax_t lost = 1; lost <= last; ++lost) {
    fs::resize_file(changes, whole - lost);
    start();
    EXPECT_EQ(serves(), "step-2") << lost;
  }
  fs::resize_file(changes, 2);
  start();
  EXPECT_EQ(serves(), "step-1");
}

// Killed between the two: the table is newer than the changes beside it.
TEST_F(TableKeeperTest, ChangesOfAnOlderTableArePassedOver) {
  keeper->take_table(to_json(table_of(1)));
  for (const auto step : {2U, 3U}) take(step);
  finish();
  keeper.reset();
  std::ofstream(directory / "kept/routes.json") << to_json(table_of(5));
  start();
  EXPECT_EQ(serves(), "step-5");
}

TEST_F(TableKeeperTest, ManyChangesAreMadeATableOfAgain) {
  auto table = table_of(1);
  keeper->take_table(to_json(table));
  const auto page = "https://example.com/" + std::string(200'000, 'x');
  for (int i = 0; i < 7; ++i) {
    auto next = table;
    next.generation = table.generation + 1;
    next.routes[0].error_page_url = page + std::to_string(i);
    keeper->take_change(to_json(testing::change_between(table, next)));
    table = std::move(next);
  }
  finish();
  EXPECT_EQ(gaps, 1);
  EXPECT_LT(fs::file_size(directory / "kept/routes.changes"), 2U << 20);
  ++table.generation;
  keeper->take_table(to_json(table));
  finish();
  EXPECT_FALSE(fs::exists(directory / "kept/routes.changes"));
}

TEST_F(TableKeeperTest, ADiskThatTakesNothingDoesNotStopTheTable) {
  fs::remove_all(directory / "kept");
  fs::create_directory(directory / "kept");  // another: the keeper's own is gone from the tree
  keeper->take_table(to_json(table_of(1)));
  take(2);
  EXPECT_EQ(serves(), "step-2");
}

}  // namespace
}  // namespace renga::router

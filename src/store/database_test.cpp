#include "store/database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

namespace renga::store {
namespace {

constexpr Migration tables[] = {
    {"test/1", "CREATE TABLE apps (id TEXT PRIMARY KEY, size INTEGER, made_at INTEGER) STRICT;"},
    {"test/2", "ALTER TABLE apps ADD COLUMN note TEXT;"},
};

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() { database.migrate(tables); }
  std::int64_t count() {
    return *database.first("SELECT count(*) FROM apps",
                           [](const Row& row) { return row.integer(0); });
  }
  Database database{":memory:"};
};

TEST_F(DatabaseTest, BindsAndReadsEveryKindOfValue) {
  const auto made = from_micros(1'767'607'200'123'456);
  database.run("INSERT INTO apps VALUES (?, ?, ?, ?)", "sushi", std::optional<int>(), made, "it's");
  const auto note = database.first(
      "SELECT size, made_at, note FROM apps WHERE id = ?",
      [&](const Row& row) {
        EXPECT_TRUE(row.is_null(0));
        EXPECT_FALSE(row.maybe_integer(0));
        EXPECT_EQ(row.time(1), made);
        return row.text(2);
      },
      "sushi");
  EXPECT_EQ(note, "it's");
}

TEST_F(DatabaseTest, RunsEachMigrationOnce) {
  database.migrate(tables);
  EXPECT_EQ(count(), 0);
}

TEST_F(DatabaseTest, UndoesATransactionThatIsNotCommitted) {
  {
    auto transaction = database.begin();
    database.run("INSERT INTO apps (id) VALUES ('a')");
  }
  EXPECT_EQ(count(), 0);
  {
    auto transaction = database.begin();
    database.run("INSERT INTO apps (id) VALUES ('a')");
    transaction.commit();
  }
  EXPECT_EQ(count(), 1);
}

TEST_F(DatabaseTest, InnerTransactionsJoinTheOuterOne) {
  {
    auto outer = database.begin();
    {
      auto inner = database.begin();
      database.run("INSERT INTO apps (id) VALUES ('a')");
      inner.commit();
    }
  }
  EXPECT_EQ(count(), 0);

  auto outer = database.begin();
  { auto inner = database.begin(); }
  EXPECT_THROW(outer.commit(), std::logic_error);
}

TEST_F(DatabaseTest, MayQueryWhileReadingRows) {
  database.run("INSERT INTO apps (id, size) VALUES ('a', 1), ('b', 2)");
  std::int64_t sum = 0;
  database.query("SELECT id FROM apps", [&](const Row& row) {
    sum += *database.first(
        "SELECT size FROM apps WHERE id = ?", [](const Row& inner) { return inner.integer(0); },
        row.text(0));
  });
  EXPECT_EQ(sum, 3);
}

TEST_F(DatabaseTest, SaysWhatItRefused) {
  database.run("INSERT INTO apps (id) VALUES ('a')");
  try {
    database.run("INSERT INTO apps (id) VALUES ('a')");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_NE(std::string(failure.what()).find("apps.id"), std::string::npos);
  }
}

TEST_F(DatabaseTest, TakesTurnsBetweenThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        auto transaction = database.begin();
        database.run("INSERT INTO apps (id) VALUES (?)", std::to_string(t * 1000 + i));
        transaction.commit();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count(), 200);
}

TEST(DatabaseFile, IsPrivateAndDurable) {
  const auto path = std::filesystem::temp_directory_path() / ("renga-store-" + new_uuid());
  {
    Database database(path);
    database.migrate(tables);
    database.run("INSERT INTO apps (id) VALUES ('kept')");
  }
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  Database again(path);
  EXPECT_TRUE(again.first("SELECT id FROM apps", [](const Row& row) { return row.text(0); }));
  for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(path.string() + end);
}

}  // namespace
}  // namespace renga::store

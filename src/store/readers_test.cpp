#include "store/readers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "base/id.h"

namespace renga::store {
namespace {

constexpr Migration tables[] = {{"test/1", "CREATE TABLE apps (name TEXT PRIMARY KEY) STRICT;"}};

class ReadersTest : public testing::Test {
 protected:
  ReadersTest() { database.migrate(tables); }
  ~ReadersTest() override { std::filesystem::remove_all(directory); }

  std::int64_t count() {
    return *database.first("SELECT count(*) FROM apps",
                           [](const Row& row) { return row.integer(0); });
  }
  void add(const std::string& name) { database.run("INSERT INTO apps VALUES (?)", name); }

  const std::filesystem::path directory = [] {
    const auto made = std::filesystem::temp_directory_path() / ("readers-" + new_uuid());
    std::filesystem::create_directory(made);
    return made;
  }();
  Database database{directory / "test.db"};
  Readers readers{database, 2};
};

TEST_F(ReadersTest, AnswerWhileAnotherThreadHoldsATransaction) {
  add("sushi");
  std::promise<void> holding, release;
  std::thread writer([&] {
    auto transaction = database.begin();
    add("ramen");
    holding.set_value();
    release.get_future().wait();
    transaction.commit();
  });
  holding.get_future().wait();
  {
    const auto view = readers.view();
    EXPECT_EQ(count(), 1);  // would wait for the writer, which waits for us
  }
  release.set_value();
  writer.join();
  const auto view = readers.view();
  EXPECT_EQ(count(), 2);
}

TEST_F(ReadersTest, AViewStaysWhatItWasAndTheNextIsNewer) {
  add("sushi");
  {
    const auto view = readers.view();
    EXPECT_EQ(count(), 1);
    std::thread([&] { add("ramen"); }).join();
    EXPECT_EQ(count(), 1);
    const auto inner = readers.view();
    EXPECT_EQ(count(), 1);
  }
  const auto view = readers.view();
  EXPECT_EQ(count(), 2);
}

TEST_F(ReadersTest, WritingInAViewIsRefused) {
  {
    const auto view = readers.view();
    EXPECT_THROW(add("sushi"), std::logic_error);
    EXPECT_THROW(auto transaction = database.begin(), std::logic_error);
    EXPECT_THROW(database.first("INSERT INTO apps VALUES ('sushi') RETURNING name",
                                [](const Row& row) { return row.text(0); }),
                 Failure);
    EXPECT_EQ(count(), 0);
  }
  add("sushi");
  EXPECT_EQ(count(), 1);
}

TEST_F(ReadersTest, WithNoConnectionLeftTheDatabaseItselfAnswers) {
  add("sushi");
  std::vector<std::thread> others;
  std::promise<void> release;
  const auto released = release.get_future().share();
  for (int i = 0; i < 2; ++i) {
    std::promise<void> holding;
    others.emplace_back([&, released] {
      const auto view = readers.view();
      EXPECT_EQ(count(), 1);
      holding.set_value();
      released.wait();
    });
    holding.get_future().wait();
  }
  {
    const auto view = readers.view();
    EXPECT_EQ(count(), 1);
    add("ramen");  // it is no view
    EXPECT_EQ(count(), 2);
  }
  release.set_value();
  for (auto& other : others) other.join();
}

TEST_F(ReadersTest, ADatabaseInMemoryAnswersItself) {
  Database memory(":memory:");
  memory.migrate(tables);
  Readers of_memory(memory, 2);
  const auto view = of_memory.view();
  memory.run("INSERT INTO apps VALUES ('sushi')");
  EXPECT_TRUE(memory.first("SELECT 1 FROM apps", [](const Row&) { return true; }));
}

// Run with the thread sanitizer: threads that read while one writes see whole transactions only.
TEST_F(ReadersTest, SeeWholeTransactionsOfAWriterThatGoesOn) {
  std::atomic<bool> done = false;
  std::vector<std::thread> all;
  for (int i = 0; i < 3; ++i)
    all.emplace_back([&] {
      std::int64_t last = 0;
      while (!done) {
        const auto view = readers.view();
        const auto seen = count();
        EXPECT_EQ(seen % 2, 0);
        EXPECT_GE(seen, last);
        last = seen;
      }
    });
  for (int i = 0; i < 50; ++i) {
    auto transaction = database.begin();
    add("a" + std::to_string(i));
    add("b" + std::to_string(i));
    transaction.commit();
  }
  done = true;
  for (auto& one : all) one.join();
  EXPECT_EQ(count(), 100);
}

}  // namespace
}  // namespace renga::store

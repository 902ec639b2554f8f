#include "logs/log_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "base/random.h"
#include "logs/testing/scratch.h"

namespace renga::logs {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const Time at = from_micros(1'767'607'200'123'456);

Line said(std::string message, std::string process = "web.1", std::string source = "app") {
  return {at, std::move(source), std::move(process), std::move(message)};
}

std::vector<std::string> messages(const std::vector<Placed>& lines) {
  std::vector<std::string> all;
  for (const auto& line : lines) all.push_back(line.line.message);
  return all;
}

class LogStoreTest : public testing::Test {
 protected:
  void open(LogStoreOptions options = {}) {
    store.reset();
    options.directory = scratch.path / "logs";
    store = std::make_unique<LogStore>(options);
  }
  void log(const std::vector<std::string>& all) {
    for (const auto& message : all) store->append(sushi, said(message));
    store->settle();
  }
  fs::path newest_file() {
    fs::path newest;
    for (const auto& file : fs::directory_iterator(scratch.path / "logs" / sushi.value))
      newest = std::max(newest, file.path());
    return newest;
  }

  Scratch scratch;
  const Id<apps::App> sushi = Id<apps::App>::create();
  const Id<apps::App> maki = Id<apps::App>::create();
  std::unique_ptr<LogStore> store;
};

TEST_F(LogStoreTest, GivesBackTheNewestLinesOldestFirst) {
  open();
  log({"one", "two\n", "three\nfour\n"});
  store->append(maki, said("other"));
  EXPECT_THAT(messages(store->last(sushi, {}, 3)), ElementsAre("two", "three", "four"));
  EXPECT_THAT(messages(store->last(sushi, {}, 100)), ElementsAre("one", "two", "three", "four"));
  EXPECT_EQ(store->last(sushi, {}, 1).front().line, said("four"));
  EXPECT_TRUE(store->last(sushi, {}, 0).empty());
  EXPECT_TRUE(store->last(Id<apps::App>::create(), {}, 10).empty());
}

TEST_F(LogStoreTest, Filters) {
  open();
  for (const auto* process : {"web.1", "web.10", "webhook.1", "worker.1"})
    store->append(sushi, said(process, process));
  store->append(sushi, said("router", "router", "heroku"));
  store->settle();
  const auto only = [&](Filter filter) { return messages(store->last(sushi, filter, 10)); };
  EXPECT_THAT(only({.source = "heroku", .process = {}}), ElementsAre("router"));
  EXPECT_THAT(only({.source = {}, .process = "web"}), ElementsAre("web.1", "web.10"));
  EXPECT_THAT(only({.source = {}, .process = "web.1"}), ElementsAre("web.1"));
  EXPECT_THAT(only({.source = "app", .process = "router"}), ElementsAre());
  EXPECT_THAT(messages(store->last(sushi, {.source = "app", .process = {}}, 2)),
              ElementsAre("webhook.1", "worker.1"));
}

TEST_F(LogStoreTest, KeepsPlacesAcrossRestarts) {
  open();
  log({"one", "two"});
  const auto before = store->last(sushi, {}, 2);
  open();
  EXPECT_EQ(store->last(sushi, {}, 2)[1].place, before[1].place);
  log({"three"});
  const auto later = store->after(sushi, {}, before[1].place, 10);
  ASSERT_EQ(later.size(), 1u);
  EXPECT_EQ(later[0].line.message, "three");
  EXPECT_EQ(later[0].place, before[1].place + 1);
  EXPECT_THAT(messages(store->after(sushi, {}, 0, 2)), ElementsAre("one", "two"));
}

TEST_F(LogStoreTest, WritesWhatIsQueuedBeforeItEnds) {
  open();
  for (int i = 0; i < 500; ++i) store->append(sushi, said(std::to_string(i)));
  open();
  EXPECT_EQ(store->last(sushi, {}, 1'000).size(), 500u);
}

TEST_F(LogStoreTest, CutsOffTheTornLineOfAKilledWriter) {
  open();
  log({"one", "two"});
  store.reset();
  std::ofstream(newest_file(), std::ios::app) << "2026-01-05T10:00:00.123456+00:00 app[web.1]: tor";
  open();
  EXPECT_THAT(messages(store->last(sushi, {}, 10)), ElementsAre("one", "two"));
  log({"three"});
  const auto all = store->after(sushi, {}, 0, 10);
  EXPECT_THAT(messages(all), ElementsAre("one", "two", "three"));
  EXPECT_EQ(all[2].place, 3u);
}

TEST_F(LogStoreTest, PassesOverLinesThatAreDamaged) {
  open();
  log({"one", "two"});
  store.reset();
  std::fstream(newest_file(), std::ios::in | std::ios::out) << std::string(20, '\0');
  open();
  const auto all = store->last(sushi, {}, 10);
  ASSERT_THAT(messages(all), ElementsAre("two"));
  EXPECT_EQ(all[0].place, 2u);
}

TEST_F(LogStoreTest, DropsTheOldestSegmentsPastTheLimit) {
  open({.directory = {}, .bytes_per_app = 64 << 10});
  std::vector<std::string> said_before{""};
  for (int i = 0; i < 2'000; ++i) {
    said_before.push_back(std::to_string(i) + random_hex(100));  // hard to compress
    store->append(sushi, said(said_before.back()));
    if (i % 20 == 0) store->settle();
  }
  store->settle();
  std::uintmax_t bytes = 0;
  for (const auto& file : fs::directory_iterator(scratch.path / "logs" / sushi.value))
    bytes += file.file_size();
  EXPECT_LE(bytes, 80u << 10);
  EXPECT_GE(bytes, 48u << 10);

  // Both ways of reading see the same lines at the same places, across segments and blocks.
  const auto forward = store->after(sushi, {}, 0, 10'000);
  auto backward = store->last(sushi, {}, 1'500);
  ASSERT_EQ(forward.size(), backward.size());
  EXPECT_EQ(forward.back().place, 2'000u);
  for (std::size_t i = 0; i < forward.size(); ++i) {
    EXPECT_EQ(forward[i].place, backward[i].place);
    EXPECT_EQ(forward[i].line.message, said_before[forward[i].place]);
    EXPECT_EQ(backward[i].line, forward[i].line);
  }
}

TEST_F(LogStoreTest, CompressesAndFindsTimesAndTexts) {
  const LogStoreOptions options{.directory = {}, .bytes_per_app = 64 << 10};
  open(options);
  using std::chrono::minutes;
  for (int i = 0; i < 3'000; ++i) {
    auto line = said("line " + std::to_string(i) + std::string(80, '.'));
    line.at = at + minutes(i);
    store->append(sushi, line);
    if (i % 50 == 0) store->settle();
  }
  store->settle();
  const auto check = [&] {
    // Far more than fits uncompressed.
    EXPECT_EQ(store->after(sushi, {}, 0, 10'000).size(), 3'000U);
    const Filter hour{.since = at + minutes(1'000), .until = at + minutes(1'060)};
    const auto lines = store->after(sushi, hour, 0, 10'000);
    ASSERT_EQ(lines.size(), 60U);
    EXPECT_EQ(lines.front().place, 1'001U);
    EXPECT_EQ(store->last(sushi, hour, 10).back().place, 1'060U);
    EXPECT_EQ(store->last(sushi, {.text = "line 77."}, 10).size(), 1U);
    EXPECT_TRUE(store->after(sushi, {.since = at + minutes(5'000)}, 0, 10).empty());
  };
  check();
  open(options);
  check();
  log({"more"});
  EXPECT_EQ(store->newest(sushi), 3'001U);
}

TEST_F(LogStoreTest, GoesOnAfterAKillInTheMiddleOfCompressing) {
  const LogStoreOptions options{.directory = {}, .bytes_per_app = 64 << 10};
  open(options);
  for (int i = 0; i < 500; ++i) {
    store->append(sushi, said(std::to_string(i) + std::string(80, '.')));
    if (i % 50 == 0) store->settle();
  }
  store.reset();
  const auto directory = scratch.path / "logs" / sushi.value;
  // A text whose compressed form was complete, one that was not, and one that is damaged.
  fs::path first;
  for (const auto& file : fs::directory_iterator(directory))
    if (first.empty() || file.path() < first) first = file.path();
  ASSERT_EQ(first.extension(), ".zst");
  auto text = first;
  std::ofstream(text.replace_extension()) << "torn";
  std::ofstream(directory / "00000000000000000099.log.zst.part") << "torn";
  open(options);
  EXPECT_EQ(store->after(sushi, {}, 0, 10'000).size(), 500U);
  EXPECT_FALSE(fs::exists(text));
  store.reset();
  std::ofstream(first) << "damaged";
  open(options);
  log({"last"});
  EXPECT_EQ(store->last(sushi, {}, 1).front().line.message, "last");
  EXPECT_LT(store->after(sushi, {}, 0, 10'000).size(), 501U);
}

// A flood of one app, and of two together, leaves room for a third.
TEST_F(LogStoreTest, NeverCostsAnotherAppItsLines) {
  open({.directory = {}, .queue_lines = 1'000});
  std::atomic<bool> stop = false;
  std::vector<std::thread> noisy;
  for (int i = 0; i < 3; ++i)
    noisy.emplace_back([&, app = Id<apps::App>::create()] {
      while (!stop) store->append(app, said(std::string(500, 'x')));
    });
  for (int i = 0; i < 500; ++i) {
    store->append(sushi, said(std::to_string(i)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stop = true;
  for (auto& thread : noisy) thread.join();
  store->settle();
  EXPECT_EQ(store->newest(sushi), 500U);
}

TEST_F(LogStoreTest, ReadsLongLinesAcrossBlocks) {
  open();
  for (int i = 0; i < 100; ++i)
    store->append(sushi, said(std::string(9'000 + static_cast<std::size_t>(i), 'x')));
  store->settle();
  const auto all = store->last(sushi, {}, 100);
  ASSERT_EQ(all.size(), 100u);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].line.message.size(), 9'000 + i);
}

TEST_F(LogStoreTest, HandsNewLinesToTails) {
  open();
  log({"before"});
  std::vector<std::string> seen;  // by the store's thread; settle() orders it
  auto tail =
      store->tail(sushi, {.source = {}, .process = "web"}, [&](std::span<const PlacedView> lines) {
        for (const auto& line : lines) seen.emplace_back(line.line.message);
      });
  store->append(sushi, said("worker", "worker.1"));
  store->append(maki, said("other"));
  log({"one", "two"});
  EXPECT_THAT(seen, ElementsAre("one", "two"));
  tail.reset();
  log({"three"});
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(LogStoreTest, ATailMayEndInsideItsOwnCall) {
  open();
  std::unique_ptr<Tail> tail;
  std::atomic<int> calls = 0;
  tail = store->tail(sushi, {}, [&](std::span<const PlacedView>) {
    ++calls;
    tail.reset();
  });
  log({"one", "two"});
  EXPECT_EQ(calls, 1);
}

TEST_F(LogStoreTest, SaysHowManyLinesDidNotFit) {
  open({.directory = {}, .queue_lines = 10});
  std::promise<void> entered;
  std::promise<void> leave;
  bool first = true;
  auto tail = store->tail(maki, {}, [&](std::span<const PlacedView>) {
    if (!first) return;
    first = false;
    entered.set_value();
    leave.get_future().wait();
  });
  store->append(maki, said("holds the writer"));
  entered.get_future().wait();
  for (int i = 0; i < 8; ++i) store->append(sushi, said(std::to_string(i)));
  store->append(maki, said("has room still"));
  leave.set_value();
  store->settle();
  const auto all = messages(store->last(sushi, {}, 10));
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[5], "Error L12: 3 messages dropped since 2026-01-05T10:00:00+00:00.");
  EXPECT_EQ(store->last(sushi, {}, 1)[0].line.process, "logplex");
  EXPECT_EQ(messages(store->last(maki, {}, 1)), (std::vector<std::string>{"has room still"}));
}

TEST_F(LogStoreTest, SaysWhatTheDiskRefused) {
  open();
  std::ofstream(scratch.path / "logs") << "in the way";
  log({"one", "two"});
  fs::remove(scratch.path / "logs");
  log({"three"});
  const auto all = messages(store->last(sushi, {}, 10));
  EXPECT_THAT(all,
              ElementsAre("Error L13: 2 messages lost since 2026-01-05T10:00:00+00:00.", "three"));
}

TEST_F(LogStoreTest, KeepsFilesOpenBetweenLinesAndOnlySoMany) {
  open({.directory = {}, .most_open_files = 20});
  std::vector<Id<apps::App>> all(50);
  for (auto& app : all) app = Id<apps::App>::create();
  for (const auto* message : {"one", "two"})
    for (const auto& app : all) store->append(app, said(message));
  store->settle();
  std::size_t files = 0;
  std::error_code closed;
  for (const auto& descriptor : fs::directory_iterator("/proc/self/fd"))
    if (fs::read_symlink(descriptor, closed).string().starts_with(scratch.path.string())) ++files;
  EXPECT_GT(files, 0U);
  EXPECT_LE(files, 20U);
  for (const auto& app : all)
    EXPECT_THAT(messages(store->last(app, {}, 10)), ElementsAre("one", "two"));
}

TEST_F(LogStoreTest, GoesOnWhenSomebodyTookTheFilesAway) {
  open();
  log({"one"});
  fs::remove_all(scratch.path / "logs" / sushi.value);
  log({"two", "three"});
  const auto lines = store->last(sushi, {}, 10);
  EXPECT_THAT(messages(lines), ElementsAre("two", "three"));
  EXPECT_EQ(lines.back().place, 3U);
}

TEST_F(LogStoreTest, AsksItsFeederBeforeItSettlesAndSaysWhatIsWritten) {
  struct Dynos final : Feeder {
    void fetch() override {
      const auto line = said("held back");
      const LineView view = line;
      ticket = store.append(app, {&view, 1});
    }
    void written(Ticket until) override { released = until; }
    Dynos(LogStore& given, Id<apps::App> its) : store(given), app(std::move(its)) {}
    LogStore& store;
    const Id<apps::App> app;
    Ticket ticket = 0;
    std::atomic<Ticket> released = 0;
  };
  open();
  store->append(maki, said("before"));
  store->settle();
  Dynos dynos(*store, sushi);
  store->set_feeder(&dynos);
  EXPECT_EQ(dynos.released, 1U);
  store->settle();
  EXPECT_THAT(messages(store->last(sushi, {}, 10)), ElementsAre("held back"));
  EXPECT_EQ(dynos.ticket, 2U);
  EXPECT_EQ(dynos.released, 2U);
  store->set_feeder(nullptr);
  log({"after"});
  EXPECT_EQ(dynos.released, 2U);
}

TEST_F(LogStoreTest, KnowsWhoseLinesAreWantedAtOnce) {
  open();
  const auto ignore = [](std::span<const PlacedView>) {};
  const auto drain = store->tail(sushi, {}, ignore, Pace::in_time);
  EXPECT_TRUE(store->followed().empty());
  auto person = store->tail(sushi, {}, ignore);
  EXPECT_THAT(store->followed(), ElementsAre(sushi));
  person.reset();
  EXPECT_TRUE(store->followed().empty());
}

TEST_F(LogStoreTest, HandsManyLinesOverAtOnceAndInOrder) {
  open({.directory = {}, .gather = std::chrono::seconds(20)});
  std::vector<std::string> seen;
  std::size_t calls = 0;
  auto tail = store->tail(sushi, {}, [&](std::span<const PlacedView> lines) {
    ++calls;
    for (const auto& line : lines) {
      EXPECT_EQ(line.text, format(line.line));
      EXPECT_EQ(line.place, seen.size() + 1);
      seen.emplace_back(line.line.message);
    }
  });
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(i));
  texts.emplace_back("two\r\nlines\n");
  std::vector<LineView> views;
  for (const auto& text : texts) views.push_back({at, "app", "web.1", text});
  store->append(sushi, views);
  store->append(sushi, said("last"));
  store->settle();
  texts.back() = "two";
  texts.insert(texts.end(), {"lines", "last"});
  EXPECT_EQ(seen, texts);
  EXPECT_EQ(calls, 1U);
}

TEST_F(LogStoreTest, RemovesAnAppsLog) {
  open();
  log({"one"});
  store->append(sushi, said("two"));
  store->remove(sushi);
  store->settle();
  EXPECT_FALSE(fs::exists(scratch.path / "logs" / sushi.value));
  EXPECT_TRUE(store->last(sushi, {}, 10).empty());
}

TEST_F(LogStoreTest, RefusesAnIdThatIsAPath) {
  open();
  EXPECT_THROW(store->append({"../evil"}, said("x")), std::invalid_argument);
  EXPECT_THROW(store->last({""}, {}, 1), std::invalid_argument);
}

TEST_F(LogStoreTest, KeepsOneLineALineWhateverIsInIt) {
  open();
  store->append(sushi, said("x", "web.1]: y", "a[pp"));
  store->settle();
  const auto line = store->last(sushi, {}, 1).at(0).line;
  EXPECT_EQ(line.source, "a_pp");
  EXPECT_EQ(line.process, "web.1_:_y");
}

TEST_F(LogStoreTest, TakesLinesFromManyThreadsWhileOthersRead) {
  open({.directory = {}, .bytes_per_app = 1 << 20, .queue_lines = 100'000});
  std::atomic<bool> ended = false;
  std::thread reader([&] {
    while (!ended) {
      const auto lines = store->last(sushi, {}, 50);
      for (std::size_t i = 1; i < lines.size(); ++i)
        EXPECT_EQ(lines[i].place, lines[i - 1].place + 1);
      store->after(sushi, {}, lines.empty() ? 0 : lines.front().place, 10);
    }
  });
  std::atomic<std::size_t> seen = 0;
  auto tail =
      store->tail(sushi, {}, [&](std::span<const PlacedView> lines) { seen += lines.size(); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) store->append(sushi, said("line " + std::to_string(i)));
    });
  for (auto& thread : threads) thread.join();
  store->settle();
  ended = true;
  reader.join();
  EXPECT_EQ(seen, 3'000u);
  EXPECT_EQ(store->last(sushi, {}, 1).at(0).place, 3'000u);
}

}  // namespace
}  // namespace renga::logs

#include "logs/output_streams.h"

#include <gmock/gmock.h>

#include <future>
#include <optional>
#include <thread>

#include "logs/testing/fake_response_stream.h"
#include "logs/testing/scratch.h"

namespace renga::logs {
namespace {

using testing::HasSubstr;

class OutputStreamsTest : public testing::Test {
 protected:
  OutputStreamsTest() { restart(); }
  void restart(OutputStreamsOptions options = {}) {
    outputs.reset();
    outputs.emplace(scratch.path / "output", options);
  }
  std::string all_of(const std::string& id, std::uint64_t offset = 0) {
    std::string all;
    EXPECT_TRUE(outputs->follow(id, offset, [&](std::string_view bytes) {
      all += bytes;
      return true;
    }));
    return all;
  }
  http::Request request(const std::string& name = {}, const std::string& value = {}) {
    http::Request made;
    if (!name.empty()) made.headers.add(name, value);
    return made;
  }
  std::shared_ptr<FakeResponseStream> get(const std::string& id, const http::Request& how,
                                          int status = 200) {
    const auto answer = outputs->open(how, id);
    EXPECT_EQ(answer.status, status);
    auto stream = std::make_shared<FakeResponseStream>();
    answer.stream(stream);
    return stream;
  }

  Scratch scratch;
  std::optional<OutputStreams> outputs;
};

TEST_F(OutputStreamsTest, KeepsWhatWasAppended) {
  const auto id = outputs->create();
  EXPECT_EQ(id.size(), 64u);
  outputs->append(id, "-----> Building\n");
  outputs->append(id, "done\n");
  EXPECT_FALSE(outputs->finished(id));
  outputs->finish(id);
  outputs->append(id, "late");
  EXPECT_TRUE(outputs->finished(id));
  EXPECT_EQ(all_of(id), "-----> Building\ndone\n");
  EXPECT_EQ(all_of(id, 16), "done\n");
  EXPECT_EQ(all_of(id, 1'000), "");
}

TEST_F(OutputStreamsTest, KnowsNothingOfOtherIds) {
  for (const std::string id : {"", "../../etc/passwd", "abc"}) {
    EXPECT_FALSE(outputs->exists(id));
    EXPECT_FALSE(outputs->follow(id, 0, [](std::string_view) { return true; }));
    outputs->append(id, "x");
    outputs->finish(id);
    EXPECT_EQ(outputs->open(request(), id).status, 404);
  }
  EXPECT_FALSE(outputs->exists(std::string(64, 'a')));
}

TEST_F(OutputStreamsTest, FollowersSeeItGrow) {
  const auto id = outputs->create();
  outputs->append(id, "one ");
  std::promise<void> first;
  std::string seen;
  std::thread follower([&] {
    outputs->follow(id, 0, [&](std::string_view bytes) {
      if (seen.empty()) first.set_value();
      seen += bytes;
      return true;
    });
  });
  first.get_future().wait();
  outputs->append(id, "two");
  outputs->finish(id);
  follower.join();
  EXPECT_EQ(seen, "one two");
}

TEST_F(OutputStreamsTest, AFollowerMayStop) {
  const auto id = outputs->create();
  outputs->append(id, "one");
  EXPECT_TRUE(outputs->follow(id, 0, [](std::string_view) { return false; }));
}

TEST_F(OutputStreamsTest, GoesOnAfterARestart) {
  const auto open = outputs->create();
  const auto done = outputs->create();
  outputs->append(open, "before ");
  outputs->append(done, "all");
  outputs->finish(done);
  restart();
  EXPECT_TRUE(outputs->exists(open));
  EXPECT_FALSE(outputs->finished(open));
  EXPECT_TRUE(outputs->finished(done));
  outputs->append(open, "after");
  outputs->finish(open);
  EXPECT_EQ(all_of(open), "before after");
  EXPECT_EQ(all_of(done), "all");
}

TEST_F(OutputStreamsTest, SaysOnceThatItIsFull) {
  restart({.most_bytes = 1 << 20});
  const auto id = outputs->create();
  for (int i = 0; i < 3; ++i) outputs->append(id, std::string(700 << 10, 'x'));
  restart({.most_bytes = 1 << 20});
  outputs->append(id, "more");
  outputs->finish(id);
  const auto all = all_of(id);
  EXPECT_LT(all.size(), (1u << 20) + 200);
  EXPECT_TRUE(all.ends_with("x\n !     The output is longer than 1 MB: the rest is left out.\n"));
}

TEST_F(OutputStreamsTest, AnswersPlainTextUntilItIsFinished) {
  const auto id = outputs->create();
  outputs->append(id, "one ");
  const auto stream = get(id, request());
  EXPECT_TRUE(stream->wait_for("one "));
  outputs->append(id, "two");
  EXPECT_TRUE(stream->wait_for("one two"));
  outputs->finish(id);
  EXPECT_TRUE(stream->wait_for_end());
  EXPECT_EQ(stream->written(), "one two");
}

TEST_F(OutputStreamsTest, ResumesByRange) {
  const auto id = outputs->create();
  outputs->append(id, "0123456789");
  const auto growing = get(id, request("Range", "bytes=4-"), 206);
  EXPECT_TRUE(growing->wait_for("456789"));
  outputs->finish(id);
  EXPECT_TRUE(growing->wait_for_end());
  EXPECT_EQ(growing->written(), "456789");

  EXPECT_EQ(outputs->open(request("Range", "bytes=4-"), id).headers.value_or("Content-Range", ""),
            "bytes 4-9/10");
  const auto past = outputs->open(request("Range", "bytes=10-"), id);
  EXPECT_EQ(past.status, 416);
  EXPECT_EQ(past.headers.value_or("Content-Range", ""), "bytes */10");
  for (const auto* other : {"bytes=-4", "bytes=1-2", "lines=1-", "bytes=x-"})
    EXPECT_EQ(outputs->open(request("Range", other), id).status, 200) << other;
}

TEST_F(OutputStreamsTest, SpeaksServerSentEvents) {
  const auto id = outputs->create();
  outputs->append(id, "one\ntwo\nhal");
  auto how = request("Accept", "text/event-stream");
  EXPECT_EQ(outputs->open(how, id).headers.value_or("Content-Type", ""), "text/event-stream");
  const auto stream = get(id, how);
  EXPECT_TRUE(stream->wait_for("id: 8\ndata: one\ndata: two\n\n"));
  outputs->append(id, "f\r\nlast");
  EXPECT_TRUE(stream->wait_for("id: 14\ndata: half\n\n"));
  outputs->finish(id);
  EXPECT_TRUE(stream->wait_for_end());
  EXPECT_TRUE(stream->written().ends_with("id: 18\ndata: last\n\n"));

  how.headers.add("Last-Event-Id", "8");
  const auto again = get(id, how);
  EXPECT_TRUE(again->wait_for_end());
  EXPECT_EQ(again->written(), "id: 18\ndata: half\ndata: last\n\n");
}

TEST_F(OutputStreamsTest, PingsAndWaitsForSlowClients) {
  restart({.ping_every = std::chrono::milliseconds(5)});
  const auto id = outputs->create();
  const auto stream = get(id, request("Accept", "text/event-stream"));
  EXPECT_TRUE(stream->wait_for(": ping\n\n"));
  stream->fill(true);
  outputs->append(id, "kept\n");
  outputs->finish(id);
  stream->fill(false);
  EXPECT_TRUE(stream->wait_for_end());
  EXPECT_THAT(stream->written(), HasSubstr("data: kept\n\n"));
}

TEST_F(OutputStreamsTest, EndsFollowersOfWhatIsRemoved) {
  const auto id = outputs->create();
  outputs->append(id, "x");
  const auto stream = get(id, request());
  EXPECT_TRUE(stream->wait_for("x"));
  outputs->remove(id);
  EXPECT_TRUE(stream->wait_for_end());
  EXPECT_FALSE(outputs->exists(id));
}

TEST_F(OutputStreamsTest, EndsFollowersWithItself) {
  const auto stream = get(outputs->create(), request());
  outputs.reset();
  EXPECT_TRUE(stream->wait_for_end());
}

TEST_F(OutputStreamsTest, ManyFollowersReadWhatManyThreadsAppend) {
  const auto id = outputs->create();
  std::vector<std::shared_ptr<FakeResponseStream>> streams;
  for (int i = 0; i < 50; ++i) streams.push_back(get(id, request()));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) outputs->append(id, "0123456789");
    });
  for (auto& thread : threads) thread.join();
  outputs->finish(id);
  for (const auto& stream : streams) {
    EXPECT_TRUE(stream->wait_for_end());
    EXPECT_EQ(stream->written().size(), 6'000u);
  }
}

}  // namespace
}  // namespace renga::logs

#include "logs/sessions.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/testing/fake_clock.h"
#include "logs/testing/fake_response_stream.h"
#include "logs/testing/scratch.h"

namespace renga::logs {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string prefix = "2026-01-05T10:00:00.000000+00:00 app[web.1]: ";

std::string event(int place, const std::string& message) {
  return "id: " + std::to_string(place) + "\ndata: " + prefix + message + "\n\n";
}

class SessionsTest : public testing::Test {
 protected:
  void log(const std::string& message, const std::string& process = "web.1") {
    store.append(sushi, {clock.now(), "app", process, message});
  }
  http::Request request(const std::string& last_id = {}, bool events = true) {
    http::Request made;
    if (events) made.headers.add("Accept", "text/event-stream");
    if (!last_id.empty()) made.headers.add("last-event-id", last_id);
    return made;
  }
  std::shared_ptr<FakeResponseStream> open(Sessions& all, const Session& session,
                                           const http::Request& how) {
    const auto answer = all.open(how, session.secret);
    EXPECT_EQ(answer.status, 200);
    auto stream = std::make_shared<FakeResponseStream>();
    answer.stream(stream);
    return stream;
  }

  Scratch scratch;
  FakeClock clock;
  const Id<apps::App> sushi = Id<apps::App>::create();
  LogStore store{{.directory = scratch.path}};
  Sessions sessions{store, clock};
};

TEST_F(SessionsTest, EndsAfterTheBacklogWithoutTail) {
  log("one");
  log("two");
  log("three");
  const auto answer = sessions.open(request(), sessions.create(sushi, {}, 2, false).secret);
  EXPECT_EQ(answer.headers.value_or("Content-Type", ""), "text/event-stream");
  const auto stream = std::make_shared<FakeResponseStream>();
  answer.stream(stream);
  EXPECT_TRUE(stream->wait_for_end());
  EXPECT_EQ(stream->written(), event(2, "two") + event(3, "three"));
  EXPECT_EQ(sessions.open_tails(), 0u);
}

TEST_F(SessionsTest, AnEmptyLogIsAnEmptyAnswer) {
  const auto stream = open(sessions, sessions.create(sushi, {}, 100, false), request());
  EXPECT_TRUE(stream->wait_for_end());
  EXPECT_EQ(stream->written(), "");
}

TEST_F(SessionsTest, GivesPlainTextToOthers) {
  log("one");
  const auto answer =
      sessions.open(request({}, false), sessions.create(sushi, {}, 100, false).secret);
  EXPECT_THAT(std::string(answer.headers.value_or("Content-Type", "")), StartsWith("text/plain"));
  const auto stream = std::make_shared<FakeResponseStream>();
  answer.stream(stream);
  EXPECT_EQ(stream->written(), prefix + "one\n");
}

TEST_F(SessionsTest, FollowsWhatIsLoggedAfterTheBacklog) {
  log("one");
  const auto stream = open(
      sessions, sessions.create(sushi, {.source = {}, .process = "web"}, 100, true), request());
  log("two");
  log("not this", "worker.1");
  log("three");
  store.settle();
  EXPECT_EQ(stream->written(), event(1, "one") + event(2, "two") + event(4, "three"));
  EXPECT_EQ(sessions.open_tails(), 1u);
}

TEST_F(SessionsTest, ResumesAfterTheLastEventSeen) {
  for (int i = 1; i <= 2'000; ++i) log(std::to_string(i));
  const auto session = sessions.create(sushi, {}, 10, true);
  const auto stream = open(sessions, session, request("5"));
  EXPECT_THAT(stream->written(), StartsWith(event(6, "6") + event(7, "7")));
  EXPECT_THAT(stream->written(), HasSubstr(event(2'000, "2000")));
  EXPECT_EQ(open(sessions, session, request("2000"))->written(), "");
  EXPECT_THAT(open(sessions, session, request("rubbish"))->written(),
              StartsWith(event(1'991, "1991")));
}

TEST_F(SessionsTest, LosesAndRepeatsNothingBetweenBacklogAndTail) {
  std::thread writer([&] {
    for (int i = 0; i < 3'000; ++i) log("line");
  });
  std::vector<std::shared_ptr<FakeResponseStream>> streams;
  const auto session = sessions.create(sushi, {}, 100, true);
  for (int i = 0; i < 20; ++i) streams.push_back(open(sessions, session, request()));
  writer.join();
  store.settle();
  for (const auto& stream : streams) {
    const auto text = stream->written();
    std::uint64_t before = 0;
    for (std::size_t at = text.find("id: "); at != std::string::npos;
         at = text.find("id: ", at + 4)) {
      const auto place = std::stoull(text.substr(at + 4, 20));
      if (before != 0) {
        EXPECT_EQ(place, before + 1);
      }
      before = place;
    }
    EXPECT_EQ(before, 3'000u);
  }
}

TEST_F(SessionsTest, PingsIdleTails) {
  Sessions quick(store, clock, {.ping_every = std::chrono::milliseconds(5)});
  const auto stream = open(quick, quick.create(sushi, {}, 100, true), request());
  EXPECT_TRUE(stream->wait_for(": ping\n\n: ping\n\n"));
}

TEST_F(SessionsTest, TellsASlowTailWhatItLost) {
  const auto stream = open(sessions, sessions.create(sushi, {}, 100, true), request());
  stream->fill(true);
  log("lost");
  log("lost as well");
  store.settle();
  stream->fill(false);
  log("three");
  store.settle();
  EXPECT_EQ(stream->written(),
            "data: 2026-01-05T10:00:00.000000+00:00 heroku[logplex]: L11 (Tail buffer overflow) -> "
            "This tail "
            "session dropped 2 messages since 2026-01-05T10:00:00+00:00\n\n" +
                event(3, "three"));
}

TEST_F(SessionsTest, ForgetsATailWhoseClientLeft) {
  Sessions quick(store, clock, {.ping_every = std::chrono::milliseconds(5)});
  const auto session = quick.create(sushi, {}, 100, true);
  const auto gone = open(quick, session, request());
  const auto stays = open(quick, session, request());
  gone->leave();
  // Pings go out after those who left were cleared away.
  const auto pings = stays->written();
  EXPECT_TRUE(stays->wait_for(pings + ": ping\n\n: ping\n\n"));
  EXPECT_EQ(quick.open_tails(), 1u);
  log("later");
  store.settle();
  EXPECT_THAT(gone->written(), Not(HasSubstr("later")));
}

TEST_F(SessionsTest, EndsTailsWithItself) {
  auto short_lived = std::make_unique<Sessions>(store, clock);
  const auto stream = open(*short_lived, short_lived->create(sushi, {}, 100, true), request());
  short_lived.reset();
  EXPECT_TRUE(stream->wait_for_end());
  log("later");
  store.settle();
}

TEST_F(SessionsTest, MustBeOpenedInSixMinutesAndMayBeReopenedForADay) {
  const auto never = sessions.create(sushi, {}, 1, false);
  const auto opened = sessions.create(sushi, {}, 1, false);
  EXPECT_NE(never.secret, opened.secret);
  EXPECT_EQ(sessions.open(request(), opened.secret).status, 200);
  clock.advance(std::chrono::minutes(7));
  EXPECT_EQ(sessions.open(request(), never.secret).status, 404);
  EXPECT_EQ(sessions.open(request(), opened.secret).status, 200);
  clock.advance(std::chrono::hours(24));
  EXPECT_EQ(sessions.open(request(), opened.secret).status, 404);
  EXPECT_EQ(sessions.open(request(), "guess").status, 404);
}

TEST_F(SessionsTest, KeepsABoundedNumberOfSessions) {
  Sessions few(store, clock, {.most = 3});
  const auto oldest = few.create(sushi, {}, 1, false);
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::seconds(1));
    few.create(sushi, {}, 1, false);
  }
  EXPECT_EQ(few.open(request(), oldest.secret).status, 404);
  EXPECT_EQ(few.create(sushi, {}, 9'999, false).lines, 1'500u);
}

}  // namespace
}  // namespace renga::logs

// The features of apps that change how their requests travel.
#include "router/affinity.h"

#include <gmock/gmock.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string get(const std::string& cookie = "") {
  return "GET / HTTP/1.1\r\nHost: shop.test\r\n" +
         (cookie.empty() ? "" : "Cookie: a=b; " + cookie + "; c=d\r\n") + "\r\n";
}

// The name and value that an answer's Set-Cookie gives; empty: it sets none.
std::string cookie_of(const Answer& answer) {
  const auto at = answer.head.find("Set-Cookie: ");
  if (at == std::string::npos) return {};
  return answer.head.substr(at + 12, answer.head.find(';', at) - at - 12);
}

class AffinityTest : public ::testing::Test {
 protected:
  AffinityTest() { serve(true); }
  void serve(bool affinity) {
    auto shop = app("shop", {});
    for (std::size_t i = 0; i < dynos.size(); ++i) {
      if (!up[i]) continue;
      shop.backends.push_back(
          dynos[i].backend("dyno-" + std::to_string(i), "web." + std::to_string(i + 1)));
    }
    shop.session_affinity = affinity;
    edge.serve({shop});
  }
  // Which dyno got it, by the log, and what the client was told.
  std::pair<std::string, Answer> ask(const std::string& cookie = "") {
    auto client = edge.client();
    client.write(get(cookie));
    for (int tries = 0; tries < 3'000; ++tries) {
      for (auto& dyno : dynos) {
        if (dyno.nobody_comes(std::chrono::milliseconds(1))) continue;
        auto connection = dyno.accept();
        EXPECT_THAT(connection.read_until("\r\n\r\n"), HasSubstr(cookie));
        connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        auto answer = read_answer(client);
        const auto line = edge.next_log();
        return {line.substr(line.find("dyno=") + 5, 5), answer};
      }
    }
    throw std::runtime_error("no dyno was asked");
  }
  std::array<Upstream, 4> dynos;
  std::array<bool, 4> up{true, true, true, true};
  Edge edge;
};

TEST_F(AffinityTest, ACookieBringsAClientBackToItsDyno) {
  const auto [first, answer] = ask();
  const auto cookie = cookie_of(answer);
  EXPECT_THAT(cookie, StartsWith("heroku-session-affinity="));
  EXPECT_TRUE(answer.has("; Path=/; HttpOnly\r\n"));
  for (int i = 0; i < 12; ++i) {
    const auto [dyno, again] = ask(cookie);
    EXPECT_EQ(dyno, first);
    EXPECT_EQ(cookie_of(again), "") << "it has one";
  }
}

TEST_F(AffinityTest, WhenItsDynoIsGoneItGetsAnother) {
  const auto [first, answer] = ask();
  const auto cookie = cookie_of(answer);
  up[static_cast<std::size_t>(first[4] - '1')] = false;
  serve(true);
  const auto [second, other] = ask(cookie);
  EXPECT_NE(second, first);
  EXPECT_THAT(cookie_of(other), StartsWith("heroku-session-affinity="));
  EXPECT_NE(cookie_of(other), cookie);
  EXPECT_EQ(ask(cookie_of(other)).first, second);
}

TEST_F(AffinityTest, NonsenseIsReplacedAndWithoutTheFeatureNothingIsSet) {
  EXPECT_NE(cookie_of(ask("heroku-session-affinity=nonsense").second), "");
  EXPECT_NE(cookie_of(ask("heroku-session-affinity=").second), "");
  serve(false);
  EXPECT_EQ(cookie_of(ask().second), "");
}

class FeaturesTest : public ::testing::Test {
 protected:
  Upstream dyno;
  Route shop = app("shop", {dyno.backend("dyno-1")});
  Edge edge;
};

TEST_F(FeaturesTest, WithoutKeepAliveEveryRequestHasItsOwnConnection) {
  shop.disable_keepalive = true;
  edge.serve({shop});
  auto client = edge.client();
  for (int i = 0; i < 3; ++i) {
    client.write(get());
    auto connection = dyno.accept();
    EXPECT_THAT(connection.read_until("\r\n\r\n"), HasSubstr("Connection: close\r\n"));
    connection.write(ok);
    const auto answer = read_answer(client);
    EXPECT_FALSE(answer.has("Connection: close")) << "the client's goes on";
    EXPECT_TRUE(connection.closed_by_peer());
  }
}

TEST_F(FeaturesTest, TheAppMayAnswerExpectItself) {
  shop.end_to_end_continue = true;
  edge.serve({shop});
  const std::string post =
      "POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  auto client = edge.client();
  client.write(post);
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\n"), HasSubstr("Expect: 100-continue\r\n"));
  EXPECT_TRUE(client.silent()) << "it is the app's to say";
  connection.write("HTTP/1.1 100 Continue\r\nX-Dropped: yes\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.write("ok");
  EXPECT_EQ(connection.read(2), "ok");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).status(), 200);

  // Or refuse the body before it comes.
  client.write(post);
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  const auto refused = read_answer(client);
  EXPECT_EQ(refused.status(), 413);
  EXPECT_TRUE(refused.has("Connection: close\r\n")) << "nobody knows what it would send next";
}

TEST_F(FeaturesTest, AnAppThatOwesItsContinueHasThirtySeconds) {
  shop.end_to_end_continue = true;
  edge.serve({shop});
  const std::string post =
      "POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  auto client = edge.client();
  client.write(post);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  edge.pass(Limits().first_byte);
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H12 "));

  // Once it has said so it is the client's turn.
  auto idle = edge.client();
  idle.write(post);
  auto other = dyno.accept();
  other.read_until("\r\n\r\n");
  other.write("HTTP/1.1 100 Continue\r\n\r\n");
  idle.read_until("\r\n\r\n");
  edge.pass(Limits().first_byte);
  EXPECT_TRUE(idle.silent());
  edge.pass(Limits().idle);
  EXPECT_TRUE(idle.closed_by_peer());
  EXPECT_THAT(edge.next_log(), StartsWith("at=warning code=H28 "));
}

TEST_F(FeaturesTest, ASecondContinueIsNoAnswer) {
  shop.end_to_end_continue = true;
  edge.serve({shop});
  auto client = edge.client();
  client.write(
      "POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.write("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H17 "));
}

TEST_F(FeaturesTest, AnHttp10ClientThatCannotWaitDoesNot) {
  shop.end_to_end_continue = true;
  edge.serve({shop});
  auto client = edge.client();
  client.write(
      "POST / HTTP/1.0\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\nok"), Not(HasSubstr("Expect")));
  connection.write("HTTP/1.1 100 Continue\r\n\r\n" + ok);
  EXPECT_EQ(read_answer(client).status(), 200);
}

}  // namespace
}  // namespace renga::router::testing

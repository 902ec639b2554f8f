// Dynos that leave, and routers that do.
#include <gmock/gmock.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

class DrainingTest : public ::testing::Test {
 protected:
  DrainingTest() { edge.serve({old_dyno.backend("old")}); }
  Upstream old_dyno, new_dyno;
  Edge edge{Limits(), 2};
};

TEST_F(DrainingTest, ADynoIsRetiredOnceItsLastRequestHasEnded) {
  auto client = edge.client();
  client.write(get);
  auto connection = old_dyno.accept();
  connection.read_until("\r\n\r\n");
  edge.serve({new_dyno.backend("new")});
  EXPECT_FALSE(edge.retired("old", milliseconds(100)));

  auto other = edge.client();
  other.write(get);
  auto next = new_dyno.accept();
  next.read_until("\r\n\r\n");
  next.write(ok);
  EXPECT_EQ(read_answer(other).body, "ok");

  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok") << "what was under way is finished";
  EXPECT_TRUE(edge.retired("old"));
  EXPECT_TRUE(connection.closed_by_peer());
  EXPECT_TRUE(old_dyno.nobody_comes());
}

TEST_F(DrainingTest, IdleConnectionsToItAreClosedAtOnce) {
  auto client = edge.client();
  client.write(get);
  auto connection = old_dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  read_answer(client);
  edge.serve({new_dyno.backend("new")});
  EXPECT_TRUE(connection.closed_by_peer());
  EXPECT_TRUE(edge.retired("old"));
}

TEST_F(DrainingTest, APipeDoesNotKeepADyno) {
  auto client = edge.client();
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  auto connection = old_dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  client.read_until("\r\n\r\n");
  edge.serve({new_dyno.backend("new")});
  EXPECT_TRUE(edge.retired("old")) << "it is told to stop, and closes the pipe in its own way";
  client.write("still");
  EXPECT_EQ(connection.read(5), "still");
}

TEST_F(DrainingTest, AnswersForDynosThatItNeverKnew) {
  edge.serve({app("shop", {new_dyno.backend("new")})}, {"unheard-of", "new"});
  EXPECT_TRUE(edge.retired("unheard-of"));
  EXPECT_TRUE(edge.retired("old"));
  EXPECT_FALSE(edge.retired("new", milliseconds(50)));
}

// More than a loop lets go of in one turn, and the next table before it is through.
TEST_F(DrainingTest, EveryDynoOfATableThatGoesAtOnceIsRetired) {
  std::vector<Route> many;
  for (int i = 0; i < 1'000; ++i) {
    const auto number = std::to_string(i);
    many.push_back(app("app-" + number, {new_dyno.backend("dyno-" + number)}));
  }
  edge.serve(many);
  for (std::size_t i = 0; i < 500; ++i) many[i].backends.clear();
  edge.serve(many);
  edge.serve({app("shop", {new_dyno.backend("new")})});
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(edge.retired("dyno-" + std::to_string(i)));
}

TEST_F(DrainingTest, NoRequestFailsWhileDynosAreReplaced) {
  // 40 replacements under a client that never stops asking.
  auto client = edge.client();
  for (int i = 0; i < 40; ++i) {
    Upstream fresh;
    edge.serve({fresh.backend("dyno-" + std::to_string(i))});
    client.write(get);
    auto connection = fresh.accept();
    connection.read_until("\r\n\r\n");
    connection.write(ok);
    ASSERT_EQ(read_answer(client).body, "ok");
  }
}

TEST_F(DrainingTest, ARouterThatStopsFinishesWhatIsUnderWay) {
  auto idle = edge.client();
  auto client = edge.client();
  client.write(get);
  auto connection = old_dyno.accept();
  connection.read_until("\r\n\r\n");
  edge.begin_drain(Idle::close_at_once, milliseconds(30'000));
  EXPECT_TRUE(idle.closed_by_peer());
  connection.write(ok);
  const auto answer = read_answer(client);
  EXPECT_EQ(answer.body, "ok");
  EXPECT_TRUE(answer.has("Connection: close\r\n"));
  client.close();
  EXPECT_TRUE(edge.drained());
}

TEST_F(DrainingTest, AnAnswerThatHasBegunIsSentToItsLastByte) {
  auto client = edge.client();
  client.write(get);
  auto connection = old_dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n");
  client.read_until("ok\r\n");
  edge.begin_drain(Idle::close_at_once, milliseconds(30'000));
  edge.settle();
  connection.write("0\r\n\r\n");
  EXPECT_EQ(client.read(5), "0\r\n\r\n");
  EXPECT_TRUE(client.closed_by_peer());
  client.close();
  EXPECT_TRUE(edge.drained());
}

TEST_F(DrainingTest, ARouterThatHandsOverAnswersItsIdleClientsOnceMore) {
  auto idle = edge.client();
  edge.settle();  // accepted, and so this router's to serve
  edge.begin_drain(Idle::may_ask_once_more, milliseconds(30'000));
  idle.write(get);
  auto connection = old_dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_TRUE(read_answer(idle).has("Connection: close\r\n"));
  idle.close();
  EXPECT_TRUE(edge.drained());
}

TEST_F(DrainingTest, WhatTakesTooLongIsCut) {
  auto client = edge.client();
  client.write(get);
  auto connection = old_dyno.accept();
  connection.read_until("\r\n\r\n");
  auto piped = edge.client();
  piped.write("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  auto pipe = old_dyno.accept();
  pipe.read_until("\r\n\r\n");
  pipe.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  piped.read_until("\r\n\r\n");
  edge.begin_drain(Idle::close_at_once, milliseconds(20'000));
  EXPECT_TRUE(client.silent());
  edge.pass(milliseconds(20'000));
  EXPECT_TRUE(edge.drained());
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_TRUE(piped.closed_by_peer());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(edge.next_log(), AllOf(StartsWith("at=error code=H24 desc=\"Forced close\" "),
                                       HasSubstr(" status= ")));
  }
}

}  // namespace
}  // namespace renga::router::testing

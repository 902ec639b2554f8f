// More clients, and slower ones, than there is room for.
#include <gmock/gmock.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

class CrowdingTest : public ::testing::Test {
 protected:
  CrowdingTest() { edge.serve({dyno.backend("dyno-1")}); }
  static Limits limits() {
    Limits made;
    made.connections = 3;
    return made;
  }
  void serve(Wire& client) {
    client.write(get);
    auto connection = dyno.accept();
    connection.read_until("\r\n\r\n");
    connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(read_answer(client).body, "ok");
  }
  Upstream dyno;
  Edge edge{limits()};
};

TEST_F(CrowdingTest, WhoHasBeenIdleLongestMakesRoom) {
  std::vector<Wire> idle;
  for (int i = 0; i < 3; ++i) {
    idle.push_back(edge.client());
    serve(idle.back());
    edge.pass(milliseconds(2'000));
  }
  auto fresh = edge.client();
  serve(fresh);
  EXPECT_TRUE(idle[0].closed_by_peer());
  EXPECT_TRUE(idle[1].silent());
  serve(idle[2]);
}

TEST_F(CrowdingTest, WhoIsBeingServedDoesNot) {
  std::vector<Wire> busy, connections;
  for (int i = 0; i < 3; ++i) {
    busy.push_back(edge.client());
    busy.back().write(get);
    connections.push_back(dyno.accept());
    connections.back().read_until("\r\n\r\n");
  }
  edge.pass(milliseconds(2'000));
  auto waiting = edge.client();
  waiting.write(get);
  EXPECT_TRUE(dyno.nobody_comes()) << "it waits in the kernel's queue";
  connections[0].write(ok);
  EXPECT_EQ(read_answer(busy[0]).body, "ok");
  busy[0].close();
  for (int tries = 0; tries < 100 && waiting.silent(milliseconds(20)); ++tries) {
    edge.pass(milliseconds(200));
    if (!connections[0].silent(milliseconds(20))) connections[0].write(ok);
  }
  EXPECT_EQ(read_answer(waiting).body, "ok");
}

TEST_F(CrowdingTest, ChunksOfOneByteAreOneBody) {
  auto client = edge.client();
  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  const std::string chunk = "1\r\nx\r\n";
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += chunk;
  client.write("1;some=extension\r\nx\r\n" + many +
               "0\r\nTrailer: dropped\r\nContent-Length: 9\r\n\r\n");
  const auto expected = chunk + many + "0\r\n\r\n";
  EXPECT_EQ(connection.read(expected.size()), expected);
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
}

TEST_F(CrowdingTest, ADynoThatNeverEndsItsHeadIsCutOff) {
  auto client = edge.client();
  client.write(get);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  // News without an end, then fields without an end.
  for (int i = 0; i < 1'000; ++i)
    connection.write("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\n");
  try {
    const std::string fields(64 * 1024, 'x');
    for (int i = 0; i < 40; ++i) connection.write("X: " + fields + "\r\n");
  } catch (const std::exception&) {
    // The router had seen enough.
  }
  EXPECT_EQ(read_answer(client).status(), 502);
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H25 "));
}

TEST_F(CrowdingTest, ADynoThatDripsItsHeadHasThirtySeconds) {
  auto client = edge.client();
  client.write(get);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  for (const std::string piece : {"HTTP/1.1 200 OK\r\n", "X: ", "y\r\n"}) {
    connection.write(piece);
    edge.pass(milliseconds(10'000));
  }
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_THAT(edge.next_log(), HasSubstr("code=H12"));
}

TEST_F(CrowdingTest, EveryByteOfEitherSideGivesFiftyFiveSecondsMore) {
  auto client = edge.client();
  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  client.read_until("\r\n\r\n");
  for (int i = 0; i < 2; ++i) {
    edge.pass(milliseconds(40'000));
    client.write("u");
    EXPECT_EQ(connection.read(1), "u");
    edge.pass(milliseconds(40'000));
    connection.write("d");
    EXPECT_EQ(client.read(1), "d");
  }
  edge.pass(Limits().idle);
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_THAT(edge.next_log(), HasSubstr(" code=H28 ")) << "it is the client that owes";
}

TEST_F(CrowdingTest, RequestsThatAreHeldAreUnderWayToo) {
  Limits few;
  few.requests_per_dyno = 2;
  Edge other(few);
  auto shop = app("shop", {});
  shop.starting = true;
  other.serve({shop});
  auto first = other.client(), second = other.client(), third = other.client();
  first.write(get);
  second.write(get);
  EXPECT_TRUE(first.silent() && second.silent());
  third.write(get);
  EXPECT_EQ(read_answer(third).status(), 503);
  EXPECT_THAT(other.next_log(), HasSubstr(" code=H11 "));
}

TEST_F(CrowdingTest, HeadsFloodsAndOddBytesOfADynoAreNoAnswer) {
  for (const std::string& wrong :
       {std::string("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", 27),
        std::string("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n"), std::string("HTTP/2 200 OK\r\n\r\n"),
        std::string("HTTP/1.1 20 OK\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    auto client = edge.client();
    client.write(get);
    auto connection = dyno.accept();
    connection.read_until("\r\n\r\n");
    connection.write(wrong);
    EXPECT_THAT(edge.next_log(), ::testing::AnyOf(HasSubstr("code=H17"), HasSubstr("code=H25")))
        << wrong;
    EXPECT_TRUE(connection.closed_by_peer()) << wrong;
  }
}

}  // namespace
}  // namespace renga::router::testing

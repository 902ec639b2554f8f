// WebSocket and other protocols: a pipe behind 101, and nothing but that.
#include <gmock/gmock.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string upgrade =
    "GET /ws HTTP/1.1\r\nHost: shop.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
    "websocket\r\n"
    "Sec-WebSocket-Key: x\r\n\r\n";
const std::string switching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: y\r\n\r\n";

class UpgradingTest : public ::testing::Test {
 protected:
  UpgradingTest() { edge.serve({dyno.backend("dyno-1")}); }
  Upstream dyno;
  Edge edge;
};

TEST(Pipes, OfOneAppAreLimited) {
  Limits limits;
  limits.pipes_per_app = 1;
  Upstream dyno;
  Edge edge(limits);
  edge.serve({dyno.backend("dyno-1")});
  auto first = edge.client();
  first.write(upgrade);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(switching);
  first.read_until("\r\n\r\n");

  auto second = edge.client();
  second.write(upgrade);
  EXPECT_EQ(read_answer(second).status(), 503);
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H22 desc=\"Connection limit reached\" "));
  second.write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  auto another = dyno.accept();
  another.read_until("\r\n\r\n");
  another.write(ok);
  EXPECT_EQ(read_answer(second).body, "ok") << "plain requests are not pipes";
  EXPECT_THAT(edge.next_log(), HasSubstr("status=200"));

  first.close();
  connection.close();
  EXPECT_THAT(edge.next_log(), HasSubstr("status=101")) << "the pipe has ended";
  second.write(upgrade);
  EXPECT_THAT(another.read_until("\r\n\r\n"), HasSubstr("Upgrade: websocket\r\n"));
}

TEST_F(UpgradingTest, IsAPipeBehind101) {
  auto client = edge.client();
  client.write(upgrade + "eager");
  auto connection = dyno.accept();
  const auto head = connection.read_until("\r\n\r\n");
  EXPECT_THAT(head, AllOf(HasSubstr("Upgrade: websocket\r\n"), HasSubstr("Connection: Upgrade\r\n"),
                          HasSubstr("Sec-WebSocket-Key: x\r\n")));
  EXPECT_TRUE(connection.silent()) << "not before the dyno has agreed";
  connection.write(switching + "first");
  const auto answer = client.read_until("\r\n\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 101 "), HasSubstr("Upgrade: websocket\r\n"),
                            HasSubstr("Connection: Upgrade\r\n"),
                            HasSubstr("Sec-WebSocket-Accept: y\r\n")));
  EXPECT_EQ(client.read(5), "first");
  EXPECT_EQ(connection.read(5), "eager");
  const std::string large(300'000, '\x81');
  client.write(large);
  EXPECT_EQ(connection.read(large.size()), large);
  connection.write(large);
  EXPECT_EQ(client.read(large.size()), large);
  EXPECT_TRUE(edge.no_log());
  client.finish();
  EXPECT_TRUE(connection.closed_by_peer());
  connection.write("bye");
  connection.close();
  EXPECT_EQ(client.read_all(), "bye") << "each side ends by itself";
  EXPECT_THAT(edge.next_log(), AllOf(StartsWith("at=info method=GET path=\"/ws\""),
                                     HasSubstr(" status=101 bytes=300008 ")));
}

TEST_F(UpgradingTest, EndsWhenIdle) {
  auto client = edge.client();
  client.write(upgrade);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(switching);
  client.read_until("\r\n\r\n");
  edge.pass(Limits().idle);
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_TRUE(connection.closed_by_peer());
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H15 "));
}

TEST_F(UpgradingTest, AnUpgradeThatNobodyAskedForIs502) {
  auto client = edge.client();
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(switching);
  EXPECT_EQ(read_answer(client).status(), 502);
  EXPECT_TRUE(connection.closed_by_peer());
}

TEST_F(UpgradingTest, BytesBehindARefusedUpgradeAreARequest) {
  auto client = edge.client();
  client.write(upgrade + "GET /smuggled HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nConnection: Upgrade\r\n"
      "Content-Length: 0\r\n\r\n");
  const auto answer = read_answer(client);
  EXPECT_EQ(answer.status(), 426);
  EXPECT_TRUE(answer.has("Upgrade: other\r\n"));
  EXPECT_EQ(read_answer(client).status(), 404);
  EXPECT_TRUE(connection.silent());
}

TEST_F(UpgradingTest, H2cAndUnnominatedUpgradesAreNotPassedOn) {
  for (const std::string fields :
       {"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Upgrade: websocket\r\n"}) {
    auto client = edge.client();
    client.write("GET / HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n");
    auto connection = dyno.accept();
    EXPECT_THAT(connection.read_until("\r\n\r\n"),
                AllOf(Not(HasSubstr("Upgrade")), Not(HasSubstr("HTTP2"))));
    connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(read_answer(client).body, "ok");
  }
}

}  // namespace
}  // namespace renga::router::testing

// A pooled connection that the dyno closed as the request set out, and what may be repeated then.
#include <gmock/gmock.h>
#include <poll.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

class RetryingTest : public ::testing::Test {
 protected:
  RetryingTest() { edge.serve({dyno.backend("dyno-1")}); }
  Wire carried(Wire& client) {
    client.write(get);
    auto connection = dyno.accept();
    connection.read_until("\r\n\r\n");
    return connection;
  }
  Upstream dyno;
  Edge edge;
};

TEST_F(RetryingTest, AStaleConnectionIsReplacedUnseen) {
  auto client = edge.client();
  auto first = carried(client);
  first.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
  client.write(get);
  first.read_until("\r\n\r\n");
  first.close();  // as if it had been on its way when the request came
  auto second = dyno.accept();
  EXPECT_THAT(second.read_until("\r\n\r\n"), StartsWith("GET / "));
  second.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");

  client.write(get);
  second.read_until("\r\n\r\n");
  second.close();
  auto third = dyno.accept();
  third.read_until("\r\n\r\n");
  third.close();
  EXPECT_EQ(read_answer(client).status(), 503) << "once, and never a fresh connection";
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(RetryingTest, ARequestThatWasTakenIsNotRepeatedUnlessItMayBe) {
  const std::string post = "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi";
  auto client = edge.client();
  auto first = carried(client);
  first.write(ok);
  read_answer(client);
  client.write(post);
  first.read_until("\r\n\r\nhi");
  first.close();  // it may have acted on it
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_TRUE(dyno.nobody_comes());

  auto second = carried(client);
  second.write(ok);
  read_answer(client);
  client.write(post);
  edge.settle();
  second.close();  // with the request unread: the kernel says so
  auto third = dyno.accept();
  EXPECT_TRUE(third.read_until("\r\n\r\nhi").starts_with("POST / "));
  third.write(ok);
  EXPECT_EQ(read_answer(client).status(), 200);
}

TEST_F(RetryingTest, AnIdleConnectionIsClosedAfterNinetySecondsWithoutAWord) {
  auto client = edge.client();
  auto first = carried(client);
  first.write(ok);
  read_answer(client);
  edge.next_log();
  edge.pass(Limits().dyno_idle);
  EXPECT_TRUE(first.closed_by_peer());
  EXPECT_TRUE(edge.no_log());
}

TEST_F(RetryingTest, ABodyWhereThereIsNoneIsNotTheNextAnswer) {
  const std::string head = "HEAD / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
  for (const auto& [request, answer] : std::vector<std::pair<std::string, std::string>>{
           {head, ok},
           {get, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nno"},
           {get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nno"}}) {
    auto client = edge.client();
    client.write(request);
    auto connection = dyno.accept();
    connection.read_until("\r\n\r\n");
    connection.write(answer);
    read_answer(client, false);
    EXPECT_TRUE(connection.closed_by_peer()) << answer;
    EXPECT_TRUE(client.silent()) << answer;
  }
}

TEST_F(RetryingTest, ADynoThatWasDeadIsAskedAgainWhenItsQuarantineEnds) {
  const auto port = dead_port();
  edge.serve({{"dyno-2", "web.1", "127.0.0.1", port}});
  auto client = edge.client();
  client.write(get);
  EXPECT_EQ(read_answer(client).status(), 503);

  const os::Fd alive = net::listen_tcp("127.0.0.1:" + std::to_string(port), net::Port::exclusive);
  client.write(get);
  EXPECT_TRUE(client.silent()) << "it is held, not refused";
  edge.pass(Limits().quarantine);
  edge.pass(Limits().quarantine);  // whoever looks again does so ever less often
  pollfd asked{alive.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&asked, 1, 30'000), 1);
  Wire connection(net::accept(alive.get()).fd);
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
}

}  // namespace
}  // namespace renga::router::testing

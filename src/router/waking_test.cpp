// Apps that sleep, and requests that wake them.
#include <gmock/gmock.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

class WakingTest : public ::testing::Test {
 protected:
  void serve(bool idle, bool with_dyno = true) {
    auto route = app("shop", with_dyno ? std::vector{dyno.backend("one")} : std::vector<Backend>());
    route.idle = idle;
    route.starting = !with_dyno;
    route.web_quantity = 1;
    edge.serve({route});
  }
  Upstream dyno;
  Edge edge{Limits(), 2};
};

TEST_F(WakingTest, ARequestOfAFrozenAppWakesItAndWaitsInItsDynosSocket) {
  serve(true);
  EXPECT_EQ(edge.wakes("app-shop", 0), 0);
  auto client = edge.client();
  client.write(get);
  EXPECT_EQ(edge.wakes("app-shop", 1), 1);
  auto connection = dyno.accept();  // as the kernel does while the dyno is frozen
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
}

TEST_F(WakingTest, ARequestOfAnAppWithoutProcessesWaitsForThem) {
  serve(true, false);
  auto client = edge.client();
  client.write(get);
  EXPECT_EQ(edge.wakes("app-shop", 1), 1);
  EXPECT_TRUE(client.silent());
  serve(false);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
}

TEST_F(WakingTest, AsksOnceHoweverManyCome) {
  serve(true, false);
  std::vector<Wire> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(edge.client());
    clients.back().write(get);
  }
  EXPECT_EQ(edge.wakes("app-shop", 1), 1);
  EXPECT_TRUE(clients.back().silent());
  EXPECT_EQ(edge.wakes("app-shop", 1), 1);
  serve(false, false);
  serve(true, false);  // asleep again, and they are still there
  EXPECT_EQ(edge.wakes("app-shop", 2), 2);
}

TEST_F(WakingTest, ObjectsWhenARequestIsUnderWay) {
  serve(false);
  auto client = edge.client();
  client.write(get);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  serve(true);
  EXPECT_EQ(edge.wakes("app-shop", 1), 1);
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
}

TEST_F(WakingTest, ObjectsWhileAPipeIsOpen) {
  serve(false);
  auto client = edge.client();
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  client.read_until("\r\n\r\n");
  serve(true);
  EXPECT_EQ(edge.wakes("app-shop", 1), 1);
  client.close();
  EXPECT_TRUE(connection.closed_by_peer());
  connection.close();  // until then the pipe is open one way
  edge.settle();
  serve(false);
  serve(true);
  EXPECT_EQ(edge.wakes("app-shop", 0), 1);
}

TEST_F(WakingTest, MaintenanceWakesNobody) {
  auto route = app("shop", {dyno.backend("one")});
  route.idle = route.maintenance = true;
  edge.serve({route});
  auto client = edge.client();
  client.write(get);
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_EQ(edge.wakes("app-shop", 0), 0);
}

}  // namespace
}  // namespace renga::router::testing

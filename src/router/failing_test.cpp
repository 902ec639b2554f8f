// What the router answers and logs when there is nothing to pass on: the H codes.
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
const std::string get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

const Limits limits;

class FailingTest : public ::testing::Test {
 protected:
  FailingTest() { edge.serve({dyno.backend("dyno-1")}); }
  Answer ask(const std::string& request = get) {
    auto client = edge.client();
    client.write(request);
    return read_answer(client);
  }
  // What is answered once so much time has passed.
  Answer ask_and_wait(std::chrono::milliseconds time) {
    auto client = edge.client();
    client.write(get);
    edge.pass(time);
    return read_answer(client);
  }
  void expect(std::string_view code, int status, std::string_view start = "at=error") {
    expect(ask(), code, status, start);
  }
  void expect(const Answer& answer, std::string_view code, int status, std::string_view start) {
    EXPECT_EQ(answer.status(), status);
    EXPECT_THAT(answer.body, HasSubstr(std::string(code)));
    const auto line = edge.next_log();
    EXPECT_THAT(line, AllOf(StartsWith(std::string(start) + " code=" + std::string(code)),
                            HasSubstr(" dyno= connect= service= status=" + std::to_string(status) +
                                      " bytes=0 ")));
  }
  // A connection that carries the request; the dyno has read its head.
  Wire carried(Wire& client, const std::string& request = get) {
    client.write(request);
    auto connection = dyno.accept();
    connection.read_until("\r\n\r\n");
    return connection;
  }
  Upstream dyno;
  Edge edge;
};

TEST_F(FailingTest, AnUnknownHostHasAPageOfItsOwnAndNoLog) {
  const auto answer = ask("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
  EXPECT_EQ(answer.status(), 404);
  EXPECT_THAT(answer.body, HasSubstr("no app at this address"));
  EXPECT_TRUE(edge.no_log());
}

TEST_F(FailingTest, StatesOfAnApp) {
  auto shop = app("shop", {});
  shop.crashed = true;
  edge.serve({shop});
  expect("H10", 503);
  shop.web_quantity = 0;
  edge.serve({shop});
  expect("H14", 503);
  shop.deployed = false;
  edge.serve({shop});
  expect("H81", 502, "at=info");
  shop.maintenance = true;
  edge.serve({shop});
  expect("H80", 503, "at=info");
}

TEST_F(FailingTest, ErrorPagesOfTheAppAreFramed) {
  auto shop = app("shop", {});
  shop.maintenance = true;
  shop.maintenance_page_url = "https://example.com/?a=\"b\"";
  edge.serve({shop});
  EXPECT_THAT(ask().body, HasSubstr("<iframe src=\"https://example.com/?a=&quot;b&quot;\">"));
  shop.maintenance = false;
  shop.crashed = true;
  shop.error_page_url = "https://example.com/error";
  edge.serve({shop});
  EXPECT_THAT(ask().body, HasSubstr("<iframe src=\"https://example.com/error\">"));
}

TEST_F(FailingTest, HoldsRequestsWhileTheAppBoots) {
  auto shop = app("shop", {});
  shop.starting = shop.crashed = true;
  edge.serve({shop});
  auto client = edge.client();
  client.write(get);
  EXPECT_TRUE(client.silent());
  edge.serve({dyno.backend("dyno-2", "web.2")});
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
  EXPECT_THAT(edge.next_log(), HasSubstr(" dyno=web.2 "));
}

TEST_F(FailingTest, H20WhenTheAppDoesNotBoot) {
  auto shop = app("shop", {});
  shop.starting = true;
  edge.serve({shop});
  expect(ask_and_wait(limits.queue), "H20", 503, "at=error");
}

TEST_F(FailingTest, AHeldRequestHearsOfACrash) {
  auto shop = app("shop", {});
  shop.starting = true;
  edge.serve({shop});
  auto client = edge.client();
  client.write(get);
  EXPECT_TRUE(client.silent());
  shop.starting = false;
  shop.crashed = true;
  edge.serve({shop});
  EXPECT_THAT(read_answer(client).body, HasSubstr("H10"));
}

TEST_F(FailingTest, H12WhenTheDynoIsSilent) {
  auto client = edge.client();
  auto connection = carried(client);
  edge.pass(limits.first_byte);
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_THAT(edge.next_log(), AllOf(StartsWith("at=error code=H12 desc=\"Request timeout\" "),
                                     HasSubstr(" dyno=web.1 "), HasSubstr(" status=503 bytes=0 ")));
  EXPECT_TRUE(connection.closed_by_peer());
}

TEST_F(FailingTest, TheThirtySecondsStartWithTheWholeRequest) {
  auto client = edge.client();
  auto connection =
      carried(client, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 8\r\n\r\n");
  for (int i = 0; i < 8; ++i) {
    edge.pass(milliseconds(20'000));  // in all more than the limit
    client.write("x");
  }
  EXPECT_EQ(connection.read(8), "xxxxxxxx");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).status(), 200);
}

TEST_F(FailingTest, H13WhenTheDynoClosesWithoutAWord) {
  auto client = edge.client();
  carried(client).close();
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H13 "));
}

TEST_F(FailingTest, H15WhenTheDynoStopsInTheMiddle) {
  auto client = edge.client();
  auto connection = carried(client);
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  client.read_until("half");
  edge.pass(limits.idle);
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_THAT(edge.next_log(), AllOf(StartsWith("at=error code=H15 "), HasSubstr(" bytes=4 ")));
}

TEST_F(FailingTest, H18WhenTheDynoDiesInTheMiddle) {
  auto client = edge.client();
  auto connection = carried(client);
  connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  client.read_until("half\r\n");
  connection.close();
  EXPECT_EQ(client.read_all(), "") << "no last chunk: the client must notice";
  EXPECT_THAT(edge.next_log(), StartsWith("sock=backend at=error code=H18 "));
}

TEST_F(FailingTest, AnAnswerThatEndsWithTheConnectionIsResetWhenItIsCut) {
  auto client = edge.client();
  auto connection = carried(client, "GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  client.read_until("half");
  connection.close();
  char byte = 0;
  EXPECT_EQ(::recv(client.fd(), &byte, 1, 0), -1) << "an end would say that it is whole";
  EXPECT_THAT(edge.next_log(), StartsWith("sock=backend at=error code=H18 "));
}

TEST_F(FailingTest, H17WhenTheResponseIsNone) {
  for (const auto* wrong :
       {"hello\r\n\r\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded\r\n\r\n", "HTTP/1.1 200 OK\nX: 1\n\n"}) {
    auto client = edge.client();
    auto connection = carried(client);
    connection.write(wrong);
    EXPECT_EQ(read_answer(client).status(), 503) << wrong;
    EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H17 ")) << wrong;
    EXPECT_TRUE(connection.closed_by_peer()) << wrong;
  }
}

TEST_F(FailingTest, H25WhenTheResponseIsDangerousOrTooLarge) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
       "invalid content length"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\nab", "invalid content length"},
      {"HTTP/1.1 200 OK\r\nSet-Cookie: " + std::string(9000, 'c') + "\r\n\r\n", "oversized cookie"},
      {"HTTP/1.1 200 " + std::string(9000, 'r') + "\r\n\r\n", "oversized status line"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(600'000, 'x') + "\r\n\r\n", "oversized header"}};
  for (const auto& [wrong, why] : cases) {
    auto client = edge.client();
    auto connection = carried(client);
    try {
      connection.write(wrong);
    } catch (const std::exception&) {
      // The router had seen enough.
    }
    EXPECT_EQ(read_answer(client).status(), 502) << why;
    EXPECT_THAT(edge.next_log(),
                StartsWith("at=error code=H25 desc=\"HTTP restriction: " + why + "\" "));
  }
}

TEST_F(FailingTest, ALargeResponseHeadWithinTheLimitsPasses) {
  auto client = edge.client();
  auto connection = carried(client);
  connection.write("HTTP/1.1 200 OK\r\nX: " + std::string(500'000, 'x') +
                   "\r\nContent-Length: 2\r\n\r\nok");
  const auto answer = read_answer(client);
  EXPECT_EQ(answer.body, "ok");
  EXPECT_GT(answer.head.size(), 500'000U);
}

TEST_F(FailingTest, AChunkedResponseWithALengthIsReadAsChunksAndItsConnectionClosed) {
  auto client = edge.client();
  auto connection = carried(client);
  connection.write(
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n0\r\n\r\n");
  const auto answer = read_answer(client);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_FALSE(answer.has("Content-Length"));
  EXPECT_TRUE(connection.closed_by_peer());
}

TEST_F(FailingTest, BytesBehindAResponseAreNobodysAnswer) {
  auto client = edge.client();
  auto connection = carried(client);
  connection.write(ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  EXPECT_EQ(read_answer(client).body, "ok");
  EXPECT_TRUE(connection.closed_by_peer());
  auto next = carried(client);
  next.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");

  edge.settle();
  next.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
  EXPECT_TRUE(next.closed_by_peer()) << "also when they come later";
  auto last = carried(client);
  last.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
}

TEST_F(FailingTest, H21WhenNobodyListens) {
  edge.serve({{"dyno-2", "web.1", "127.0.0.1", dead_port()}});
  const auto answer = ask();
  EXPECT_EQ(answer.status(), 503);
  EXPECT_THAT(edge.next_log(), AllOf(StartsWith("at=error code=H21 "), HasSubstr(" dyno=web.1 "),
                                     HasSubstr(" service= status=503 ")));
}

TEST_F(FailingTest, TriesOtherDynosAndLeavesTheDeadOneAlone) {
  std::vector<Backend> backends;
  for (int i = 0; i < 5; ++i) {
    backends.push_back({"dead-" + std::to_string(i), "web.9", "127.0.0.1", dead_port()});
  }
  backends.push_back(dyno.backend("dyno-1"));
  edge.serve(backends);
  auto client = edge.client();
  auto connection = carried(client);
  for (int i = 0; i < 10; ++i) {
    connection.write(ok);
    EXPECT_EQ(read_answer(client).body, "ok");
    EXPECT_THAT(edge.next_log(), AllOf(StartsWith("at=info "), HasSubstr(" dyno=web.1 ")));
    client.write(get);
    connection.read_until("\r\n\r\n");
  }
}

TEST_F(FailingTest, H19WhenNobodyAcceptsInTime) {
  // A listener whose queue is full drops what comes, and the client's kernel goes on asking.
  os::Fd full = net::listen_tcp("127.0.0.1:0", net::Port::exclusive, 0);
  const auto address = net::local_address(full.get());
  std::vector<os::Fd> fillers;
  for (int i = 0; i < 4; ++i) fillers.push_back(net::start_connect(address).fd);
  edge.serve({{"dyno-2", "web.1", "127.0.0.1", address.port()}});
  EXPECT_EQ(ask_and_wait(limits.connect).status(), 503);
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H19 "));
}

TEST_F(FailingTest, H34WhenEveryDynoStaysInQuarantine) {
  Limits patient;
  patient.quarantine = 2 * patient.queue;
  Edge other(patient);
  other.serve({{"dyno-2", "web.1", "127.0.0.1", dead_port()}});
  auto client = other.client();
  client.write(get);
  read_answer(client);
  EXPECT_THAT(other.next_log(), StartsWith("at=error code=H21 "));
  client.write(get);
  other.pass(patient.queue);
  EXPECT_EQ(read_answer(client).status(), 503);
  EXPECT_THAT(other.next_log(), StartsWith("at=error code=H34 "));
}

TEST_F(FailingTest, H11WhenTooManyAreUnderWay) {
  Limits few;
  few.requests_per_dyno = 2;
  Edge other(few);
  other.serve({dyno.backend("dyno-1")});
  auto first = other.client(), second = other.client(), third = other.client();
  auto one = carried(first);
  auto two = carried(second);
  third.write(get);
  EXPECT_EQ(read_answer(third).status(), 503);
  EXPECT_THAT(other.next_log(), StartsWith("at=error code=H11 "));
  one.write(ok);
  EXPECT_EQ(read_answer(first).body, "ok");
  third.write(get);
  one.read_until("\r\n\r\n");
  one.write(ok);
  EXPECT_EQ(read_answer(third).body, "ok");
}

TEST_F(FailingTest, H26WhenAChunkIsBad) {
  auto client = edge.client();
  auto connection =
      carried(client, "POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.write("2\r\nok\r\n0x2\r\nno\r\n");
  const auto answer = read_answer(client);
  EXPECT_EQ(answer.status(), 400);
  EXPECT_TRUE(answer.has("Connection: close\r\n"));
  EXPECT_THAT(edge.next_log(), StartsWith("at=error code=H26 desc=\"Request Error\" "
                                          "cause=\"bad chunk\" method=POST "));
  EXPECT_THAT(connection.read_all(), Not(HasSubstr("no")));
}

TEST_F(FailingTest, H27WhenTheClientLeaves) {
  auto client = edge.client();
  auto connection = carried(client);
  client.close();
  EXPECT_THAT(edge.next_log(), AllOf(StartsWith("sock=client at=warning code=H27 "),
                                     HasSubstr(" status=499 bytes=0 ")));
  EXPECT_TRUE(connection.closed_by_peer());

  auto uploading = edge.client();
  auto other =
      carried(uploading, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 8\r\n\r\nhalf");
  uploading.reset();
  EXPECT_THAT(edge.next_log(), StartsWith("sock=client at=warning code=H27 "));
  EXPECT_EQ(other.read_all(), "half");
}

TEST_F(FailingTest, H28WhenTheClientStops) {
  auto client = edge.client();
  auto connection =
      carried(client, "POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_EQ(connection.read(4), "half");
  edge.pass(limits.idle);
  EXPECT_TRUE(client.closed_by_peer());
  EXPECT_THAT(edge.next_log(),
              AllOf(StartsWith("at=warning code=H28 "), HasSubstr(" status=499 ")));
}

TEST_F(FailingTest, HeadsThatAreNotWholeHaveRoomInAll) {
  Limits little;
  little.unfinished_heads = 10'000;
  Edge other(little);
  other.serve(std::vector<Route>());
  const std::string part = "GET / HTTP/1.1\r\nHost: nobody.test\r\nX: " + std::string(6'000, 'x');
  auto first = other.client(), second = other.client();
  first.write(part);
  other.settle();
  second.write(part);
  EXPECT_EQ(read_answer(first).status(), 408) << "whoever has been at it longest gives way";
  EXPECT_TRUE(first.closed_by_peer());
  second.write("\r\n\r\n");
  EXPECT_EQ(read_answer(second).status(), 404);
  for (int i = 0; i < 3; ++i) {
    auto gone = other.client();
    gone.write(part);
    other.settle();
    gone.reset();
    other.settle();
  }
  auto last = other.client();
  last.write(part);
  EXPECT_TRUE(last.silent()) << "those that have gone count no more";
}

TEST_F(FailingTest, SlowHeadsAndIdleClientsAreClosed) {
  auto slow = edge.client();
  slow.write("GET / HTTP/1.1\r\nHost: sh");
  edge.pass(limits.head);
  const auto answer = read_answer(slow);
  EXPECT_EQ(answer.status(), 408);
  EXPECT_TRUE(slow.closed_by_peer());

  auto polite = edge.client();
  polite.write("\r\n");
  edge.pass(limits.head);
  EXPECT_EQ(polite.read_all(), "") << "its next request would take a 408 for its answer";

  auto idle = edge.client();
  edge.pass(limits.keep_alive);
  EXPECT_TRUE(idle.closed_by_peer());
  EXPECT_TRUE(edge.no_log());
}

}  // namespace
}  // namespace renga::router::testing

// Requests through a router in this process: the test plays both the client and the dyno.
#include <gmock/gmock.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string get(std::string_view path = "/", std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: shop.test\r\n" + std::string(fields) +
         "\r\n";
}

class ProxyingTest : public ::testing::Test {
 protected:
  ProxyingTest() { edge.serve({dyno.backend("dyno-1")}); }
  Upstream dyno;
  Edge edge;
};

TEST_F(ProxyingTest, TellsTheDynoWhereTheRequestCameFrom) {
  auto client = edge.client();
  client.write(get("/a?b=1", "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"));
  auto connection = dyno.accept();
  const auto head = connection.read_until("\r\n\r\n");
  EXPECT_THAT(head, StartsWith("GET /a?b=1 HTTP/1.1\r\nHost: shop.test\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-For: 192.0.2.7, 127.0.0.1\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Proto: http\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("https")));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Port: " + edge.url_port() + "\r\n"));
  EXPECT_THAT(head, HasSubstr("Via: 1.1 renga-router\r\n"));
  EXPECT_THAT(head, MatchesRegex("(.|\n|\r)*X-Request-Start: [0-9]{13}\r\n(.|\n|\r)*"));
  EXPECT_THAT(head, Not(HasSubstr("Connection:")));
  connection.write(ok);
  const auto answer = read_answer(client);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.body, "ok");
  EXPECT_TRUE(answer.has("Via: 1.1 renga-router\r\n"));
  EXPECT_TRUE(answer.has("Date: "));
  EXPECT_THAT(edge.next_log(),
              MatchesRegex("at=info method=GET path=\"/a\\?b=1\" host=shop.test "
                           "request_id=[0-9a-f-]{36} fwd=\"192.0.2.7, 127.0.0.1\" dyno=web.1 "
                           "connect=[0-9]+ms service=[0-9]+ms status=200 bytes=2 "
                           "protocol=http1.1 tls=false"));
}

TEST_F(ProxyingTest, KeepsAnAcceptableRequestIdAndReplacesAnyOther) {
  auto client = edge.client();
  client.write(get("/", "X-Request-Id: 0123456789abcdefABC-\r\n"));
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\n"),
              HasSubstr("X-Request-Id: 0123456789abcdefABC-\r\n"));
  connection.write(ok);
  read_answer(client);
  EXPECT_THAT(edge.next_log(), HasSubstr(" request_id=0123456789abcdefABC- "));

  client.write(get("/", "X-Request-Id: 0123456789 bad \"one\"\r\n"));
  const auto head = connection.read_until("\r\n\r\n");
  EXPECT_THAT(head, MatchesRegex("(.|\n|\r)*X-Request-Id: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-"
                                 "[89ab][0-9a-f]{3}-[0-9a-f]{12}\r\n(.|\n|\r)*"));
}

TEST_F(ProxyingTest, KeepsConnectionsOnBothSides) {
  auto client = edge.client();
  client.write(get());
  auto connection = dyno.accept();
  for (int i = 0; i < 3; ++i) {
    connection.read_until("\r\n\r\n");
    connection.write(ok);
    EXPECT_EQ(read_answer(client).body, "ok");
    if (i < 2) client.write(get());
  }
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(ProxyingTest, DropsWhatBelongsToOneConnection) {
  auto client = edge.client();
  client.write(
      get("/",
          "Connection: X-Mine, keep-alive, X-Forwarded-For\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
          "TE: trailers\r\nTrailer: X\r\nProxy: evil\r\nProxy-Connection: close\r\n"
          "X_Forwarded_For: evil\r\nX_REQUEST_ID: evil\r\nUpgrade: h2c\r\nX-Other: kept\r\n"));
  auto connection = dyno.accept();
  const auto head = connection.read_until("\r\n\r\n");
  for (const auto* gone : {"X-Mine", "Keep-Alive", "TE:", "Trailer", "Proxy", "evil", "Upgrade"}) {
    EXPECT_THAT(head, Not(HasSubstr(gone))) << gone;
  }
  EXPECT_THAT(head, HasSubstr("X-Other: kept\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-For: 127.0.0.1\r\n"));

  connection.write(
      "HTTP/1.1 200 OK\r\nConnection: X-Back\r\nX-Back: 1\r\nKeep-Alive: 5\r\nServer: mine\r\n"
      "X-Kept: 1\r\nContent-Length: 0\r\n\r\n");
  const auto answer = read_answer(client);
  EXPECT_FALSE(answer.has("X-Back"));
  EXPECT_FALSE(answer.has("Keep-Alive"));
  EXPECT_FALSE(answer.has("renga-router\r\nServer"));
  EXPECT_TRUE(answer.has("Server: mine\r\n"));
  EXPECT_TRUE(answer.has("X-Kept: 1\r\n"));
}

TEST_F(ProxyingTest, PassesBodiesOfBothFramingsOn) {
  auto client = edge.client();
  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5\r\n\r\nhel");
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\n"), HasSubstr("Content-Length: 5\r\n"));
  client.write("lo");
  EXPECT_EQ(connection.read(5), "hello");
  connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nworld\r\n");
  connection.write("0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n").substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "5\r\nworld\r\n0\r\n\r\n")
      << "no extension, no trailer";
  EXPECT_THAT(edge.next_log(), HasSubstr(" bytes=5 "));

  client.write(
      "POST / HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n");
  EXPECT_THAT(connection.read_until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));
  client.write("0\r\nX-Evil: 1\r\n\r\n");
  EXPECT_EQ(connection.read_until("0\r\n\r\n"), "3\r\nabc\r\n0\r\n\r\n");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
}

TEST_F(ProxyingTest, BytesBehindABodyAreTheNextRequest) {
  auto client = edge.client();
  client.write("POST /1 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\nhi" + get("/2") +
               "POST /3 HTTP/1.1\r\nHost: nobody.test\r\nContent-Length: 0\r\n\r\n" + get("/4"));
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\n"), StartsWith("POST /1 "));
  EXPECT_EQ(connection.read(2), "hi");
  EXPECT_TRUE(connection.silent()) << "answers come in order, so requests wait their turn";
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
  EXPECT_THAT(connection.read_until("\r\n\r\n"), StartsWith("GET /2 "));
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
  EXPECT_EQ(read_answer(client).status(), 404) << "each is routed by its own host";
  EXPECT_THAT(connection.read_until("\r\n\r\n"), StartsWith("GET /4 "));
}

TEST_F(ProxyingTest, AnAnswerGoesAheadOfWhatIsSaidToTheBytesBehindItsRequest) {
  auto client = edge.client();
  client.write(get("/1") + "no request\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_EQ(read_answer(client).body, "ok");
  EXPECT_EQ(read_answer(client).status(), 400);
  EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(ProxyingTest, ResponsesWithoutBodyKeepTheirLength) {
  auto client = edge.client();
  client.write("HEAD / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  EXPECT_TRUE(read_answer(client, false).has("Content-Length: 500\r\n"));

  client.write(get());
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n");
  EXPECT_EQ(read_answer(client, false).status(), 304);

  client.write(get());
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(read_answer(client, false).has("Content-Length"));
  client.write(get());
  EXPECT_THAT(connection.read_until("\r\n\r\n"), StartsWith("GET / ")) << "still the same one";
}

TEST_F(ProxyingTest, ABodyThatEndsWithTheConnectionIsMadeChunks) {
  auto client = edge.client();
  client.write(get());
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.0 200 OK\r\n\r\nhello ");
  connection.write("world");
  connection.close();
  const auto answer = read_answer(client);
  EXPECT_TRUE(answer.has("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(answer.body, "hello world");
  client.write(get());
  EXPECT_THAT(dyno.accept().read_until("\r\n\r\n"), StartsWith("GET / "));
}

TEST_F(ProxyingTest, ServesHttp10Clients) {
  auto client = edge.client();
  client.write("GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n");
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\n"), StartsWith("GET / HTTP/1.1\r\n"));
  connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  const auto all = client.read_all();
  EXPECT_THAT(all, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(all, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(all, Not(HasSubstr("chunked")));
  EXPECT_TRUE(all.ends_with("\r\n\r\nhello"));

  auto keeping = edge.client();
  keeping.write("GET / HTTP/1.0\r\nHost: shop.test\r\nConnection: keep-alive\r\n\r\n");
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_TRUE(read_answer(keeping).has("Connection: keep-alive\r\n"));
  keeping.write("GET http://shop.test/ HTTP/1.0\r\n\r\n");
  EXPECT_EQ(read_answer(keeping).status(), 400) << "no Host";
}

TEST_F(ProxyingTest, AnswersExpectItself) {
  auto client = edge.client();
  client.write(
      "POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.write("hi");
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\n"), Not(HasSubstr("Expect")));
  EXPECT_EQ(connection.read(2), "hi");
  connection.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                   ok);
  EXPECT_EQ(read_answer(client).status(), 200) << "the dyno's own 1xx are not passed on";
  edge.next_log();

  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nExpect: a miracle\r\n\r\n");
  EXPECT_EQ(read_answer(client).status(), 417);
  EXPECT_THAT(
      edge.next_log(),
      StartsWith("at=error code=H26 desc=\"Request Error\" cause=\"unsupported expect header "
                 "value\" method=POST "));
}

TEST_F(ProxyingTest, RelaysAnAnswerThatComesBeforeTheRequestIsSent) {
  auto client = edge.client();
  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000000\r\n\r\nfirst");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\nfirst");
  connection.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
  const auto answer = read_answer(client);
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(answer.body, "no");
  EXPECT_TRUE(answer.has("Connection: close\r\n"));
  EXPECT_TRUE(connection.closed_by_peer()) << "nothing else can be asked on it";
}

TEST_F(ProxyingTest, ALogLineIsOfTheTimeThatItsRequestEnded) {
  auto client = edge.client();
  client.write(get());
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  const auto asked = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  connection.write(ok);
  read_answer(client);
  edge.next_log();
  EXPECT_GE(edge.log_time(), asked.count());
}

TEST_F(ProxyingTest, MovesManyBytesBothWaysAtOnce) {
  const std::size_t size = 8 << 20;
  const std::string piece(64 * 1024, 'x');
  auto client = edge.client();
  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: " + std::to_string(size) +
               "\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  std::size_t up = 0, down = 0;
  client.read_until("\r\n\r\n");
  for (std::size_t moved = 0; moved < size; moved += piece.size()) {
    client.write(piece);
    up += connection.read(piece.size()).size();
    connection.write(piece);
    down += client.read(piece.size()).size();
  }
  EXPECT_EQ(up, size);
  EXPECT_EQ(down, size);
}

TEST_F(ProxyingTest, StopsReadingADynoWhoseClientDoesNotRead) {
  auto client = edge.client();
  client.write(get());
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\r\n\r\n");
  net::set_blocking(connection.fd(), false);
  const std::string piece(64 * 1024, 'x');
  std::size_t sent = 0;
  int full = 0;
  while (full < 20 && sent < (256U << 20)) {
    const auto count = ::send(connection.fd(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      full = 0;
    } else {
      ++full;
      ::usleep(5'000);
    }
  }
  // What two sockets' buffers hold, and 128 KiB of the router's.
  EXPECT_LT(sent, 64U << 20);
  net::set_blocking(connection.fd(), true);
  connection.close();
  const auto got = read_answer(client).body.size();
  EXPECT_EQ(got, sent);
}

TEST_F(ProxyingTest, TheSameWhereverARequestIsCut) {
  const auto request =
      "POST /cut HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n"
      "X-Request-Id: 00000000000000000000\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
      get("/next");
  auto client = edge.client();
  std::string expected;
  client.write(request);
  auto connection = dyno.accept();
  const auto play = [&] {
    auto seen = connection.read_until("0\r\n\r\n");
    connection.write(ok);
    EXPECT_EQ(read_answer(client).body, "ok");
    seen += connection.read_until("\r\n\r\n").substr(0, 14);
    connection.write(ok);
    EXPECT_EQ(read_answer(client).body, "ok");
    const auto start = seen.find("X-Request-Start: ");
    return seen.erase(start, seen.find("\r\n", start) - start);
  };
  expected = play();
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    client.write(request.substr(0, cut));
    if (cut % 7 == 0) ::usleep(500);
    client.write(request.substr(cut));
    ASSERT_EQ(play(), expected) << "cut at " << cut;
  }
}

TEST_F(ProxyingTest, TheSameWhereverAResponseIsCut) {
  const std::string response =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
      "Date: today\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  auto client = edge.client();
  client.write(get());
  auto connection = dyno.accept();
  for (std::size_t cut = 1; cut < response.size(); ++cut) {
    connection.read_until("\r\n\r\n");
    connection.write(response.substr(0, cut));
    if (cut % 7 == 0) ::usleep(500);
    connection.write(response.substr(cut));
    const auto answer = read_answer(client);
    ASSERT_EQ(answer.body, "hello") << "cut at " << cut;
    ASSERT_EQ(answer.head,
              "HTTP/1.1 200 OK\r\nDate: today\r\nTransfer-Encoding: chunked\r\n"
              "Server: renga-router\r\nVia: 1.1 renga-router\r\n\r\n");
    client.write(get());
  }
}

TEST_F(ProxyingTest, AHeadOfOneByteAtATime) {
  auto client = edge.client();
  for (const char byte : get("/slow")) client.write({&byte, 1});
  auto connection = dyno.accept();
  EXPECT_THAT(connection.read_until("\r\n\r\n"), StartsWith("GET /slow "));
  for (const char byte : ok) connection.write({&byte, 1});
  EXPECT_EQ(read_answer(client).body, "ok");
}

TEST_F(ProxyingTest, EveryLoopServes) {
  Edge four({}, 4);
  four.serve({dyno.backend("dyno-1")});
  for (int i = 0; i < 20; ++i) {
    auto client = four.client();
    client.write(get());
    // The connection of a loop that has served before would be used again; so it is not kept.
    auto connection = dyno.accept();
    connection.read_until("\r\n\r\n");
    connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(read_answer(client).body, "ok");
  }
}

}  // namespace
}  // namespace renga::router::testing

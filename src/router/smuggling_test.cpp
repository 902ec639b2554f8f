// Requests that two readers could read in two ways, end to end: what the router answers, and that
// the dyno sees either nothing of a refused one, or exactly one plain request of an accepted one.
#include <gmock/gmock.h>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: shop.test\r\n\r\n";

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n" + body;
}
std::string get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n";
}
std::string line(const std::string& request_line) {
  return request_line + "\r\nHost: shop.test\r\n\r\n";
}

struct Refused {
  const char* what;
  int status;
  std::string bytes;
};

class SmugglingTest : public ::testing::Test {
 protected:
  SmugglingTest() { edge.serve({dyno.backend("dyno-1")}); }
  Upstream dyno;
  Edge edge;
};

TEST_F(SmugglingTest, RefusesAndForwardsNothing) {
  const std::vector<Refused> cases = {
      {"CL and TE", 400, post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"TE and CL", 400, post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"two CL", 400, post("Content-Length: 2\r\nContent-Length: 3\r\n", "abc")},
      {"two equal CL", 400, post("Content-Length: 2\r\nContent-Length: 2\r\n", "ab")},
      {"CL list", 400, post("Content-Length: 2, 3\r\n", "abc")},
      {"CL +2", 400, post("Content-Length: +2\r\n", "ab")},
      {"CL -1", 400, post("Content-Length: -1\r\n")},
      {"CL 0x2", 400, post("Content-Length: 0x2\r\n", "ab")},
      {"CL empty", 400, post("Content-Length: \r\n")},
      {"CL huge", 400, post("Content-Length: 99999999999999999999\r\n")},
      {"TE identity last", 400, post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
      {"TE twice", 400, post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"TE twice in two lines", 400,
       post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"TE vertical tab", 400,
       post("Transfer-Encoding: \x0b"
            "chunked\r\n",
            "0\r\n\r\n")},
      {"TE quoted", 400, post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
      {"TE xchunked", 501, post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
      {"TE gzip, chunked", 501, post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"TE in 1.0", 400,
       "POST / HTTP/1.0\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"space before colon", 400, post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")},
      {"folded line", 400, post("X: 1\r\n Transfer-Encoding: chunked\r\n")},
      {"blank before first field", 400, "GET / HTTP/1.1\r\n Host: shop.test\r\n\r\n"},
      {"bare LF", 400, "GET / HTTP/1.1\nHost: shop.test\n\n"},
      {"bare LF in head", 400, get("X: 1\nTransfer-Encoding: chunked\r\n")},
      {"bare CR", 400, get("X: 1\rTransfer-Encoding: chunked\r\n")},
      {"NUL", 400, get("X: a\0b\r\n"s)},
      {"control", 400,
       get("X: a\x01"
           "b\r\n")},
      {"no colon", 400, get("X\r\n")},
      {"no name", 400, get(": x\r\n")},
      {"name with @", 400, get("X@A: x\r\n")},
      {"no Host", 400, "GET / HTTP/1.1\r\n\r\n"},
      {"two Hosts", 400, get("Host: other.test\r\n")},
      {"Host with user", 400, "GET / HTTP/1.1\r\nHost: a@shop.test\r\n\r\n"},
      {"Host with path", 400, "GET / HTTP/1.1\r\nHost: shop.test/x\r\n\r\n"},
      {"Host list", 400, "GET / HTTP/1.1\r\nHost: shop.test, b.test\r\n\r\n"},
      {"GET *", 400, line("GET * HTTP/1.1")},
      {"CONNECT", 405, line("CONNECT shop.test:80 HTTP/1.1")},
      {"fragment", 400, line("GET /#a HTTP/1.1")},
      {"space in target", 400, line("GET /a b HTTP/1.1")},
      {"tabs", 400, line("GET\t/\tHTTP/1.1")},
      {"two spaces", 400, line("GET  / HTTP/1.1")},
      {"raw UTF-8", 400, line("GET /\xc3\xa4 HTTP/1.1")},
      {"HTTP/2.0", 505, line("GET / HTTP/2.0")},
      {"http/1.1", 400, line("GET / http/1.1")},
      {"HTTP/0.9", 400, "GET /\r\n\r\n"},
      {"bad method", 400, line("G@T / HTTP/1.1")},
      {"long target", 414, line("GET /" + std::string(64'000, 'a') + " HTTP/1.1")},
      {"long field", 431, get("X: " + std::string(10'000, 'x') + "\r\n")},
  };
  for (const auto& refused : cases) {
    auto client = edge.client();
    client.write(refused.bytes + hidden);
    const auto answer = read_answer(client);
    EXPECT_EQ(answer.status(), refused.status) << refused.what;
    EXPECT_TRUE(answer.has("Connection: close\r\n")) << refused.what;
    EXPECT_TRUE(client.closed_by_peer()) << refused.what << ": nothing behind it is read";
  }
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(SmugglingTest, RefusesBadChunksAndForwardsNothingBehindThem) {
  for (const std::string body :
       {"0x2\r\nab\r\n0\r\n\r\n", " 2\r\nab\r\n0\r\n\r\n", "-2\r\nab\r\n0\r\n\r\n",
        "2\nab\r\n0\r\n\r\n", "2;x\nab\r\n0\r\n\r\n", "2\r\nab\n0\r\n\r\n", "2\r\nabc\r\n0\r\n\r\n",
        "00000000000000002\r\nab\r\n0\r\n\r\n", "ffffffffffffffff\r\nab", "0\r\nX\nY: 1\r\n\r\n"}) {
    auto client = edge.client();
    client.write(post("Transfer-Encoding: chunked\r\n", body + hidden));
    EXPECT_EQ(read_answer(client).status(), 400) << body;
    EXPECT_TRUE(client.closed_by_peer()) << body;
    EXPECT_THAT(edge.next_log(), HasSubstr("code=H26")) << body;
  }
  EXPECT_TRUE(dyno.nobody_comes()) << "the body was there with the head, so nobody was asked";
}

struct Accepted {
  const char* what;
  std::string bytes;
  std::string start;  // of what the dyno sees
  std::string never;  // and what not
};

TEST_F(SmugglingTest, ForwardsOnePlainRequest) {
  const std::vector<Accepted> cases = {
      {"absolute form, another Host",
       "GET http://shop.test/a HTTP/1.1\r\nHost: nobody.test\r\n\r\n",
       "GET /a HTTP/1.1\r\nHost: shop.test\r\n", "nobody"},
      {"absolute form without a path", "GET http://shop.test HTTP/1.1\r\nHost: shop.test\r\n\r\n",
       "GET / HTTP/1.1\r\nHost: shop.test\r\n", "http://"},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: shop.test\r\n\r\n", "OPTIONS * HTTP/1.1\r\n", "?"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: shop.test\r\n\r\n", "GET / HTTP/1.1\r\n", "1.2"},
      {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: shop.test\r\n\r\n", "GET / HTTP/1.1\r\n",
       "?"},
      {"GET with a body", get("Content-Length: 0\r\n"), "GET / HTTP/1.1\r\n", "?"},
      {"Connection nominates what says who asks",
       get("Connection: Host, X-Forwarded-For, Content-Length\r\n"),
       "GET / HTTP/1.1\r\nHost: ", "Connection"},
      {"names with an underscore", get("Transfer_Encoding: chunked\r\nContent_Length: 9\r\n"),
       "GET / HTTP/1.1\r\n", "_"},
  };
  for (const auto& accepted : cases) {
    auto client = edge.client();
    client.write(accepted.bytes);
    auto connection = dyno.accept();
    const auto head = connection.read_until("\r\n\r\n");
    EXPECT_THAT(head, StartsWith(accepted.start)) << accepted.what;
    EXPECT_THAT(head, Not(HasSubstr(accepted.never))) << accepted.what;
    EXPECT_THAT(head, HasSubstr("X-Forwarded-For: 127.0.0.1\r\n")) << accepted.what;
    EXPECT_TRUE(connection.silent(std::chrono::milliseconds(10))) << accepted.what;
    connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(read_answer(client).body, "ok") << accepted.what;
  }
}

}  // namespace
}  // namespace renga::router::testing

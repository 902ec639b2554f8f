#include "router/forwarding.h"

#include <gtest/gtest.h>

#include <string>

namespace renga::router {
namespace {

// Lines that are copied together, one that is left out between them, and such as are not written
// in the usual way.
TEST(Forwarding, CopiesFieldsInTheirOrderWhateverStandsBetweenThem) {
  const std::string sent =
      "GET /a HTTP/1.1\r\nA: 1\r\nhost: shop.test\r\nB: 2\r\nC:3\r\nD:\t4\r\nE: 5 \r\nF: 6\r\n"
      "X_Request_Id: mine\r\nG:\r\nH: \r\nConnection: close, I\r\nI: 9\r\nJ: 10\r\n\r\nbody";
  http::RequestParser parser;
  ASSERT_EQ(parser.parse(sent).state, http::Parse::complete);
  std::string out = "before";
  write_request_head(out, parser.head(),
                     {.client_ip = "192.0.2.1",
                      .port = "80",
                      .proto = "http",
                      .via = "1.1",
                      .request_id = "01234567-89ab-4cde-8f01-23456789abcd",
                      .start = 5});
  EXPECT_EQ(out,
            "beforeGET /a HTTP/1.1\r\nHost: shop.test\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n"
            "F: 6\r\nG: \r\nH: \r\nJ: 10\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http"
            "\r\nX-Forwarded-Port: 80\r\nX-Request-Start: 5\r\n"
            "X-Request-Id: 01234567-89ab-4cde-8f01-23456789abcd\r\nVia: 1.1 renga-router\r\n\r\n");
}

// The same where every line is as we would write it, and is copied with its neighbours.
TEST(Forwarding, CutsOutWhatIsDroppedWhereverItStands) {
  const auto fields_of = [](const std::string& lines) {
    const auto sent = "GET / HTTP/1.1\r\n" + lines + "\r\n";
    http::RequestParser parser;
    EXPECT_EQ(parser.parse(sent).state, http::Parse::complete);
    EXPECT_TRUE(parser.head().notes.plain);
    std::string out;
    write_request_head(out, parser.head(), {});
    const auto begin = out.find("Host: a\r\n") + 9;
    return out.substr(begin, out.find("X-Forwarded-For: \r\n") - begin);
  };
  EXPECT_EQ(fields_of("Host: a\r\n"), "");
  EXPECT_EQ(fields_of("Host: a\r\nB: 1\r\n"), "B: 1\r\n");
  EXPECT_EQ(fields_of("B: 1\r\nHost: a\r\n"), "B: 1\r\n");
  EXPECT_EQ(fields_of("B: 1\r\nHost: a\r\nTE: x\r\nC: \r\nContent-Length: 1\r\nVia: d\r\n"
                      "X_Request_Id: e\r\nKeep-Alive: f\r\n"),
            "B: 1\r\nC: \r\nContent-Length: 1\r\nVia: d\r\n");
  EXPECT_EQ(fields_of("B: 1\r\nConnection: close\r\nHost: a\r\nC: 2\r\n"), "B: 1\r\nC: 2\r\n");
  EXPECT_EQ(fields_of("B: 1\r\nConnection: c, keep-alive\r\nHost: a\r\nC: 2\r\nD: 3\r\n"),
            "B: 1\r\nD: 3\r\n");
}

TEST(Forwarding, CopiesAnAnswersFieldsLikewise) {
  const std::string sent =
      "HTTP/1.1 200 Fine\r\nserver: own\r\nX:1\r\nY: 2\r\nkeep-alive: 5\r\ncontent-length: 3\r\n"
      "Z: 4\r\n\r\nabc";
  http::ResponseParser parser;
  ASSERT_EQ(parser.parse(sent, "GET").state, http::Parse::complete);
  const auto& head = parser.head();
  std::string out;
  write_response_head(out, head, {.relay = Relay::length, .date = "then"});
  EXPECT_EQ(out,
            "HTTP/1.1 200 Fine\r\nserver: own\r\nX: 1\r\nY: 2\r\ncontent-length: 3\r\nZ: 4\r\n"
            "Date: then\r\nVia: 1.1 renga-router\r\n\r\n");
  out.clear();
  write_response_head(out, head, {.relay = Relay::chunked, .date = "then"});
  EXPECT_EQ(out.find("content-length"), std::string::npos);
}

}  // namespace
}  // namespace renga::router

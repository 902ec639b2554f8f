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

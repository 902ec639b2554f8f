// A short run of testing/edge_fuzz.cpp over mutated heads, fields and hosts, the same on every
// machine.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"

namespace {

using namespace renga::testing;

TEST(EdgeFuzz, WhatIsForwardedIsOneRequestOrAnswerOfTheSameFraming) {
  const std::string seeds[] = {
      "\4POST /a?b HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 5\r\nConnection: x, "
      "close\r\nX: y\r\nX_Request_Id: 1\r\nTE: trailers\r\n\r\n",
      "\4GET http://b/ HTTP/1.1\r\nHost: c\r\nConnection: Upgrade\r\nUpgrade: x\r\nExpect: "
      "100-continue\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5\r\n\r\n",
      "\5HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\nConnection: "
      "date\r\n\r\n",
      "\5HTTP/1.1 204 No Content\r\nContent-Length: 7\r\nUpgrade: x\r\n\r\n",
      "\6:method\tPOST\n:path\t/a\n:scheme\thttps\n:authority\tshop.test\ncookie\ta=b\ncookie\tc\n"
      "content-length\t3\nx\ty",
      "\6:method\tGET\n:path\t*\n:scheme\thttp\nhost\tshop.test\nte\ttrailers",
      "\7a.EU.shop.test:80",
      "\7shop.test.",
  };
  using namespace std::string_literals;
  // The first byte says which parser.
  const Mutations mutated{.alphabet = "\r\n\t :;,/*[]@#0123fF\0\x7f\xc3ghH_-."s, .kept = 1};
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    fuzz_once(mutated(seeds[random() % std::size(seeds)], random));
  }
}

}  // namespace

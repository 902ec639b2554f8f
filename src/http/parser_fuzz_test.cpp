// A short run of testing/parser_fuzz.cpp over mutated heads and bodies, the same on every machine.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"

namespace {

using namespace renga::testing;

TEST(ParserFuzz, AgreesWithItselfOnMutatedMessages) {
  const std::string seeds[] = {
      "POST /a?b HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 5\r\nX: y z\r\n\r\nhello",
      "GET http://b/ HTTP/1.0\r\nConnection: close, Upgrade\r\nUpgrade: x\r\nExpect: "
      "100-continue\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\n\r\n",
      "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
  };
  using namespace std::string_literals;
  const Mutations mutated{.alphabet = "\r\n\t :;,/*[]@#0123fF\0\x7f\xc3ghH"s};
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    auto text = mutated(seeds[random() % 4], random);
    text.insert(0, 1, static_cast<char>(random() % 256));
    fuzz_once(text);
  }
}

}  // namespace

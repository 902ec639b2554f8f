// A short run of testing/edge_fuzz.cpp over mutated heads, fields and hosts, the same on every
// machine.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

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
  const auto alphabet = "\r\n\t :;,/*[]@#0123fF\0\x7f\xc3ghH_-."s;
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    auto text = seeds[random() % std::size(seeds)];
    for (auto edits = random() % 5; edits > 0; --edits) {
      const auto at = 1 + random() % text.size();
      const auto letter = alphabet[random() % alphabet.size()];
      switch (random() % 4) {
        case 0:
          if (at < text.size()) text[at] = letter;
          break;
        case 1:
          text.insert(at, 1, letter);
          break;
        case 2:
          text.erase(at, 1 + random() % 3);
          break;
        default:
          text.insert(at, text.substr(1 + random() % text.size() / 2, 20));
          break;
      }
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}

}  // namespace

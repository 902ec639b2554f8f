// A short run of testing/parser_fuzz.cpp over mutated heads and bodies, the same on every machine.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

TEST(ParserFuzz, AgreesWithItselfOnMutatedMessages) {
  const std::string seeds[] = {
      "POST /a?b HTTP/1.1\r\nHost: a.example:80\r\nContent-Length: 5\r\nX: y z\r\n\r\nhello",
      "GET http://b/ HTTP/1.0\r\nConnection: close, Upgrade\r\nUpgrade: x\r\nExpect: "
      "100-continue\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\n\r\n",
      "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
  };
  using namespace std::string_literals;
  const auto alphabet = "\r\n\t :;,/*[]@#0123fF\0\x7f\xc3ghH"s;
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    auto text = seeds[random() % 4];
    for (auto edits = random() % 5; edits > 0; --edits) {
      const auto at = random() % text.size();
      const auto letter = alphabet[random() % alphabet.size()];
      switch (random() % 4) {
        case 0:
          text[at] = letter;
          break;
        case 1:
          text.insert(at, 1, letter);
          break;
        case 2:
          text.erase(at, 1 + random() % 3);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), 20));
          break;
      }
      if (text.empty()) text = " ";
    }
    text.insert(0, 1, static_cast<char>(random() % 256));
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}

}  // namespace

#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace renga::http {
namespace {

using Part = ChunkedDecoder::Part;

struct Decoded {
  Part last = Part::need_more;
  std::string payload;
  std::string kept;  // what a proxy passes on
  std::size_t used = 0;
};

// Decodes `input` in pieces of `step` bytes.
Decoded decode(const std::string& input, std::size_t step) {
  ChunkedDecoder decoder;
  Decoded result;
  for (std::size_t at = 0; at < input.size(); at += step) {
    std::string_view rest = std::string_view(input).substr(at, step);
    while (true) {
      const auto piece = decoder.next(rest);
      result.last = piece.part;
      if (piece.part == Part::need_more) {
        EXPECT_TRUE(rest.empty());
        break;
      }
      if (piece.part == Part::refused || piece.part == Part::end) return result;
      EXPECT_FALSE(piece.bytes.empty());
      EXPECT_EQ(piece.bytes.data(), rest.data());
      if (piece.part == Part::payload) result.payload += piece.bytes;
      if (piece.part != Part::dropped) result.kept += piece.bytes;
      result.used += piece.bytes.size();
      rest.remove_prefix(piece.bytes.size());
    }
  }
  result.last = decoder.done() ? Part::end : result.last;
  return result;
}

TEST(ChunkedDecoder, DecodesCutAnywhereAndDropsWhatNobodyMayRelyOn) {
  const std::string input = "4;name=value;x=\"y\"\r\nWiki\r\nA\r\npedia in c\r\n00007 ;odd\r\n";
  const std::string good =
      "4;a=b\r\nWiki\r\n0b\r\n\r\nedia in c\r\n0\r\nContent-Length: 5\r\nX: y\r\n\r\nnext";
  for (std::size_t step = 1; step <= good.size(); ++step) {
    const auto got = decode(good, step);
    EXPECT_EQ(got.last, Part::end) << step;
    EXPECT_EQ(got.payload, "Wiki\r\nedia in c");
    EXPECT_EQ(got.kept, "4\r\nWiki\r\n0b\r\n\r\nedia in c\r\n0\r\n\r\n");
    EXPECT_EQ(got.used, good.size() - 4);
    EXPECT_EQ(decode(input, step).last, Part::refused);  // the blank before ';'
  }
}

TEST(ChunkedDecoder, RefusesWhatCouldBeReadInTwoWays) {
  for (const std::string input : {"0x2\r\nab\r\n",
                                  " 2\r\nab\r\n",
                                  "-2\r\nab\r\n",
                                  "+2\r\nab\r\n",
                                  "2 \r\nab\r\n",
                                  "00000000000000002\r\nab\r\n",
                                  "fffffffffffffffff\r\n",
                                  "ffffffffffffffff\r\n",
                                  "8000000000000000\r\n",
                                  "2\nab\r\n",
                                  "2;a\nab\r\n",
                                  "2;a\x01\r\nab\r\n",
                                  "2\r\nab\n",
                                  "2\r\nabc\r\n",
                                  "2\r\nab\rx",
                                  ";a\r\n",
                                  "\r\n",
                                  "2\rxab\r\n",
                                  "0\r\nX y\r\n\r\n",
                                  "0\r\n: y\r\n\r\n",
                                  "0\r\nX: y\n\r\n",
                                  "0\r\nX: y\x01\r\n\r\n",
                                  "0\r\n X: y\r\n\r\n",
                                  "0\r\n\n",
                                  "0\r\n\rx",
                                  "0\r\nX: y\r\n\rx"}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, input.size()}) {
      EXPECT_EQ(decode(input, step).last, Part::refused) << input << " by " << step;
    }
  }
}

TEST(ChunkedDecoder, BoundsExtensionsAndTrailers) {
  EXPECT_EQ(decode("2;" + std::string(8200, 'x') + "\r\nab\r\n", 100).last, Part::refused);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "1;" + std::string(1000, 'x') + "\r\na\r\n";
  EXPECT_EQ(decode(many, 1000).last, Part::refused);
  EXPECT_EQ(decode("0\r\nX: " + std::string(8200, 'x') + "\r\n\r\n", 100).last, Part::refused);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100; ++i) trailers += "X: " + std::string(1000, 'x') + "\r\n";
  EXPECT_EQ(decode(trailers + "\r\n", 1000).last, Part::refused);
}

TEST(ChunkedDecoder, WaitsForTheRest) {
  const std::string input = "3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t length = 1; length < input.size(); ++length) {
    EXPECT_EQ(decode(input.substr(0, length), 100).last, Part::need_more) << length;
  }
}

}  // namespace
}  // namespace renga::http

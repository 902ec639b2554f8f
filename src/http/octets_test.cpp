#include "http/octets.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace renga::http {
namespace {

void agree(std::string_view text, std::size_t from) {
  ASSERT_EQ(octets::value_end(text, from), octets::run(text, octets::value, from));
  ASSERT_EQ(octets::target_end(text, from), octets::run(text, octets::target, from));
  ASSERT_EQ(octets::token_end(text, from), octets::run(text, octets::token, from));
}

TEST(Octets, BlocksAndBytesAgreeOnEveryByteAtEveryPlace) {
  for (std::size_t size = 1; size <= 66; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        agree(text, 0);
        if (HasFatalFailure()) FAIL() << byte << " at " << at;
      }
    }
  }
}

// Neighbours must not carry into each other: those at the edges of what is allowed, mixed.
TEST(Octets, BlocksAndBytesAgreeOnMixturesOfBorderCases) {
  const std::string_view border(
      "\x00\x01\x08\x09\x0a\x0d\x1f\x20\x21\x22\x23\x24\x7e\x7f\x80\x9f"
      "\xa0\xfe\xff-/09:@AZ[`az{"
      "aaaaaaaa",
      40);
  std::mt19937 random(1);
  for (int round = 0; round < 200'000; ++round) {
    std::string text(random() % 90, ' ');
    for (auto& c : text) c = border[random() % border.size()];
    agree(text, random() % (text.size() + 1));
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(Octets, ReadsNoByteBehindTheText) {
  for (std::size_t size = 0; size < 70; ++size) {
    // Of just this size, for the address sanitizer to see.
    const std::vector<char> bytes(size, 'x');
    const std::string_view text(bytes.data(), bytes.size());
    EXPECT_EQ(octets::value_end(text, 0), size);
    EXPECT_EQ(octets::target_end(text, 0), size);
    EXPECT_EQ(octets::token_end(text, 0), size);
  }
}

}  // namespace
}  // namespace renga::http

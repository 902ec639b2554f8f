#include "http/known_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace renga::http {
namespace {

std::string with_underscores(std::string_view name) {
  std::string spelt(name);
  std::replace(spelt.begin(), spelt.end(), '-', '_');
  return spelt;
}

TEST(KnownName, IsFoundInEitherCaseAndNothingElseIs) {
  for (const auto& name : known_names) {
    std::string sent(name.text);
    EXPECT_EQ(known_of(sent), name.known) << sent;
    std::transform(sent.begin(), sent.end(), sent.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    EXPECT_EQ(known_of(sent), name.known) << sent;
    EXPECT_EQ(known_of(sent + "s"), Known::other) << sent;
    for (auto& c : sent) {
      // Of the same length and with the same beginning, where it is not the first letter's turn.
      const auto was = std::exchange(c, '~');
      EXPECT_EQ(known_of(sent), Known::other) << sent;
      c = was;
    }
  }
  EXPECT_EQ(known_of("Accept"), Known::other);
  EXPECT_EQ(known_of("x"), Known::other);
  EXPECT_EQ(known_of(std::string(1000, 'x')), Known::other);
}

TEST(KnownName, SpeltForAnotherOneByAnUnderscoreIsTheRoutersBusinessToo) {
  EXPECT_EQ(known_of("X_Forwarded-For"), Known::alias);
  EXPECT_EQ(known_of("x_request_id"), Known::alias);
  EXPECT_EQ(known_of("CONTENT_LENGTH"), Known::alias);
  EXPECT_EQ(known_of("transfer_encoding"), Known::alias);
  // Of these a client may say what it likes.
  EXPECT_EQ(known_of(with_underscores("set-cookie")), Known::other);
  EXPECT_EQ(known_of(with_underscores("keep-alive")), Known::other);
  EXPECT_EQ(known_of("x_other_name"), Known::other);
}

TEST(KnownSet, HasWhatWasAdded) {
  constexpr KnownSet two = {Known::host, Known::x_request_start};
  constexpr auto three = two.with({Known::via});
  EXPECT_TRUE(three.has(Known::host) && three.has(Known::x_request_start));
  EXPECT_TRUE(three.has(Known::via) && !two.has(Known::via));
  EXPECT_FALSE(three.has(Known::date));
}

}  // namespace
}  // namespace renga::http

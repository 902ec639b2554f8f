#include "base/text.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"

namespace renga {
namespace {

TEST(Text, SplitsAndTrims) {
  EXPECT_EQ(text::trim("  a b\r\n"), "a b");
  EXPECT_EQ(text::split("a,,b", ',').size(), 3u);
  EXPECT_EQ(text::split("", ',').size(), 1u);
  EXPECT_EQ(text::split_once("k=v=w", '=').second, "v=w");
  const auto lines = text::lines("one\r\ntwo\nthree");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "one");
  EXPECT_EQ(lines[2], "three");
}

TEST(Text, ReadsOnlyWholeNumbers) {
  EXPECT_EQ(text::number("42"), 42);
  EXPECT_EQ(text::number("+1"), 1);
  EXPECT_EQ(text::number("-1"), -1);
  for (const auto* bad : {"", "+", "-", "1x", " 1", "+-1", "99999999999999999999"})
    EXPECT_FALSE(text::number(bad)) << bad;
}

TEST(Text, Base64GoesBothWays) {
  for (const auto& sample : {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
                             std::string("\0\xff\x80\n", 4)})
    EXPECT_EQ(text::from_base64(text::base64(sample)), sample);
  EXPECT_EQ(text::base64("renga:token"), "cmVuZ2E6dG9rZW4=");
  EXPECT_FALSE(text::from_base64("a b"));
}

TEST(Text, UrlsGoBothWays) {
  EXPECT_EQ(text::url_encode("a b/ä"), "a%20b%2F%C3%A4");
  EXPECT_EQ(text::url_decode("a%20b%2f%"), "a b/%");
  EXPECT_EQ(text::query("eq[name]=x&b=1+2").at("b"), "1 2");
}

TEST(Text, QuotesForTheShell) {
  EXPECT_EQ(text::shell_quote("plain-1.txt"), "plain-1.txt");
  EXPECT_EQ(text::shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(text::shell_quote(""), "''");
}

TEST(Text, KeepsControlCharactersOffTheTerminal) {
  EXPECT_EQ(text::printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
}

TEST(Clock, WritesAndReadsTimestamps) {
  const auto time = parse_rfc3339("2026-01-05T10:00:00.123456+00:00");
  ASSERT_TRUE(time);
  EXPECT_EQ(rfc3339(*time), "2026-01-05T10:00:00Z");
  EXPECT_EQ(rfc3339_micros(*time), "2026-01-05T10:00:00.123456+00:00");
  EXPECT_EQ(parse_rfc3339("2026-01-05T12:00:00+02:00"), parse_rfc3339("2026-01-05T10:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2026-13-05T10:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("yesterday"));
}

TEST(Ids, AreVersionFourUuids) {
  const auto id = new_uuid();
  EXPECT_TRUE(is_uuid(id)) << id;
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(new_uuid(), id);
  EXPECT_FALSE(is_uuid("not-a-uuid"));
}

TEST(Random, StaysBelowItsBound) {
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random_below(7), 7u);
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Kind::invalid, "Odd.");
  return value / 2;
}
Result<int> quarter(int value) {
  const int once = TRY(half(value));
  return TRY(half(once));
}

TEST(ResultTest, TryReturnsTheFirstRefusal) {
  EXPECT_EQ(quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error(), (Error{Kind::invalid, "Odd."}));
}

}  // namespace
}  // namespace renga

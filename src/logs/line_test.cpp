#include "logs/line.h"

#include <gmock/gmock.h>

namespace renga::logs {
namespace {

using testing::ElementsAre;

const Time at = from_micros(1'767'607'200'123'456);

TEST(LineTest, IsFormattedAsTailsShowIt) {
  EXPECT_EQ(format({at, "app", "web.1", "hello"}),
            "2026-01-05T10:00:00.123456+00:00 app[web.1]: hello");
}

TEST(LineTest, IsReadBackAsItWas) {
  for (const std::string message : {"hello", "", "]: [x]: ", " two  spaces "}) {
    const Line line{at, "heroku", "router", message};
    EXPECT_EQ(parse(format(line)), line);
  }
  for (const auto* text : {"", "hello", "2026-01-05T10:00:00.123456+00:00 ",
                           "2026-01-05T10:00:00.123456+00:00 app: x"})
    EXPECT_FALSE(parse(text)) << text;
}

TEST(LineTest, CutsMessagesAtTheirLineEnds) {
  EXPECT_THAT(cut("one"), ElementsAre("one"));
  EXPECT_THAT(cut("one\n"), ElementsAre("one"));
  EXPECT_THAT(cut("one\r\n\ntwo\n"), ElementsAre("one", "", "two"));
  EXPECT_THAT(cut(""), ElementsAre(""));
}

TEST(LineTest, CutsLongMessagesWithoutBreakingCharacters) {
  const std::string xs(25'000, 'x');
  const auto pieces = cut(xs);
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].size(), 10'000u);
  EXPECT_EQ(pieces[2].size(), 5'000u);
  EXPECT_EQ(cut(std::string(10'000, 'x')).size(), 1u);

  const auto long_word = std::string(9'999, 'x') + "\xc3\xa4" + "y";
  const auto umlauts = cut(long_word);
  EXPECT_EQ(umlauts[0].size(), 9'999u);
  EXPECT_EQ(umlauts[1], "\xc3\xa4y");
  EXPECT_EQ(cut(std::string(20'000, '\x80'))[0].size(), 10'000u);
}

}  // namespace
}  // namespace renga::logs

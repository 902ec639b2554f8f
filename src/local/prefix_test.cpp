// Lines and what stands before them.
#include "local/prefix.h"

#include <gtest/gtest.h>

#include <vector>

namespace renga::local {
namespace {

std::vector<std::string> cut(std::initializer_list<std::string> pieces) {
  std::vector<std::string> all;
  const auto keep = [&](std::string_view line) { all.emplace_back(line); };
  Lines lines;
  for (const auto& piece : pieces) lines.add(piece, keep);
  lines.finish(keep);
  return all;
}

TEST(Prefix, IsTimeAndPaddedName) {
  std::string out;
  append_line(out, prefix_of("web.1", 8, 0, Colour::off), "10:00:00", "hi");
  EXPECT_EQ(out, "10:00:00 web.1    | hi\n");
}

TEST(Prefix, HasForemansColours) {
  std::string out;
  append_line(out, prefix_of("web.1", 6, 1, Colour::on), "10:00:00", "hi");
  EXPECT_EQ(out, "\x1b[33m10:00:00 web.1  | \x1b[0mhi\n");
  EXPECT_EQ(prefix_of("a", 6, 0, Colour::on).begin, prefix_of("a", 6, 12, Colour::on).begin);
}

TEST(Lines, AreWholeHoweverTheyCome) {
  EXPECT_EQ(cut({"a\nb", "c\r\n", "\nlast"}), (std::vector<std::string>{"a", "bc", "", "last"}));
}

TEST(Lines, OfAnyLengthAreCutBetweenCharacters) {
  std::string text = "x";
  while (text.size() < 2 * Lines::longest_line) text += "\xE2\x82\xAC";
  const auto pieces = cut({text});
  ASSERT_GT(pieces.size(), 1u);
  std::string together;
  for (const auto& piece : pieces) {
    EXPECT_LE(piece.size(), Lines::longest_line);
    EXPECT_NE(static_cast<unsigned char>(piece[0]) & 0xC0, 0x80);
    together += piece;
  }
  EXPECT_EQ(together, text);
}

TEST(Lines, OfNonsenseAreCutAnyhow) {
  EXPECT_EQ(cut({std::string(Lines::longest_line + 1, '\x80')}).size(), 2u);
}

}  // namespace
}  // namespace renga::local

#include "cli/config_text.h"

#include <gtest/gtest.h>

namespace renga::cli {
namespace {

TEST(ConfigText, ReadsBackWhatItWrites) {
  const Vars vars{{"PLAIN", "hello"},
                  {"EMPTY", ""},
                  {"SPACES", " a b "},
                  {"LINES", "-----BEGIN\nabc\n\n-----END\n"},
                  {"QUOTES", "it's \"so\" $HOME `x` \\ # no"},
                  {"UTF8", "žluťoučký"}};
  EXPECT_EQ(parse_shell_lines(shell_lines(vars)).value(), vars);
}

TEST(ConfigText, ReadsWhatAShellWould) {
  const auto vars = parse_shell_lines(
      "# a comment\n\nA=1 # one\nB=\"two \\\"2\\\" \\$x\"\r\nC='th'r\"e\"e\nD=a\\ b\n E = "
      "\nF='x\ny'");
  EXPECT_EQ(vars.value(), (Vars{{"A", "1"},
                                {"B", "two \"2\" $x"},
                                {"C", "three"},
                                {"D", "a b"},
                                {"E", ""},
                                {"F", "x\ny"}}));
}

TEST(ConfigText, NamesTheLineItCannotRead) {
  EXPECT_EQ(parse_shell_lines("A=1\nnonsense\n").error().message, "Line 2 is not NAME=value.");
  EXPECT_EQ(parse_shell_lines("=1\n").error().message, "Line 1 is not NAME=value.");
  for (const auto* wrong : {"A='x", "A=\"x", "A=x y", "A='x' y"})
    EXPECT_FALSE(parse_shell_lines(wrong)) << wrong;
}

TEST(ConfigText, MasksSecrets) {
  EXPECT_EQ(masked("GREETING", "hello"), "hello");
  EXPECT_EQ(masked("SECRET_KEY_BASE", "abc"), "********");
  EXPECT_EQ(masked("api_token", "abc"), "********");
  EXPECT_EQ(masked("PASSWORD", ""), "");
  EXPECT_EQ(masked("DATABASE_URL", "postgres://u:p@s:s@host:5432/db"),
            "postgres://u:********@host:5432/db");
  EXPECT_EQ(masked("SITE", "https://example.com:80/a@b:c"), "https://example.com:80/a@b:c");
  EXPECT_EQ(masked("SITE", "redis://:pw@host"), "redis://:********@host");
}

}  // namespace
}  // namespace renga::cli

// .env files, every odd line among them.
#include "local/env_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "local/testing/temporary_directory.h"

namespace renga::local {
namespace {

TEST(EnvFile, ReadsNamesAndValues) {
  EXPECT_EQ(parse_env("A=1\nB = two words \n"), (Environment{{"A", "1"}, {"B", "two words"}}));
}

TEST(EnvFile, SkipsWhatIsNoAssignment) {
  EXPECT_EQ(parse_env("# A=1\n\n   \n  # B=2\nx=\nNOTHING\n=value\n"), Environment{});
}

TEST(EnvFile, SplitsAtTheFirstEquals) {
  EXPECT_EQ(parse_env("URL=postgres://h/db?a=b=c"),
            (Environment{{"URL", "postgres://h/db?a=b=c"}}));
}

TEST(EnvFile, TakesAnEmptyValue) {
  EXPECT_EQ(parse_env("EMPTY=\nQUOTED=\"\""), (Environment{{"EMPTY", ""}, {"QUOTED", ""}}));
}

TEST(EnvFile, EndsAQuotedValueAtTheNextQuoteAndEscapesNothing) {
  EXPECT_EQ(parse_env("A=\"x # y\" # z\nB='it\"s' tail\nC=\"a\\n\\\"b\""),
            (Environment{{"A", "x # y"}, {"B", "it\"s"}, {"C", "a\\n\\"}}));
}

TEST(EnvFile, KeepsAQuoteThatNothingCloses) {
  EXPECT_EQ(parse_env("A=\"open\nB=1"), (Environment{{"A", "\"open"}, {"B", "1"}}));
}

TEST(EnvFile, EndsABareValueAtAComment) {
  EXPECT_EQ(parse_env("A=1 # one\nB=a#b\nC=#all\nD=x\t#y"),
            (Environment{{"A", "1"}, {"B", "a#b"}, {"C", ""}, {"D", "x"}}));
}

TEST(EnvFile, ExpandsNothing) {
  EXPECT_EQ(parse_env("A=${HOME}/$X"), (Environment{{"A", "${HOME}/$X"}}));
}

TEST(EnvFile, TakesTheLastOfTwo) { EXPECT_EQ(parse_env("A=1\nA=2").at("A"), "2"); }

TEST(EnvFile, TakesWindowsLinesMarksAndExport) {
  EXPECT_EQ(parse_env("\xEF\xBB\xBF"
                      "A=1\r\nexport B='2'\r\n"),
            (Environment{{"A", "1"}, {"B", "2"}}));
}

TEST(EnvFile, LeavesOutWhatNoEnvironmentCanHold) {
  using namespace std::string_view_literals;
  EXPECT_EQ(parse_env("A=a\0b\nB=1"sv), (Environment{{"B", "1"}}));
}

TEST(EnvFile, FlattensAJsonObject) {
  EXPECT_EQ(parse_env(R"({"top": {"middle": "x", "list": [1, "b", {"c": true}]}, "none": null})"),
            (Environment{{"TOP_MIDDLE", "x"},
                         {"TOP_LIST_0", "1"},
                         {"TOP_LIST_1", "b"},
                         {"TOP_LIST_2_C", "true"},
                         {"NONE", ""}}));
}

TEST(EnvFile, ReadsBrokenJsonAsLines) {
  EXPECT_EQ(parse_env("{\nA=1\n"), (Environment{{"A", "1"}}));
}

TEST(EnvFiles, LaterOnesAreOverEarlierOnes) {
  TemporaryDirectory home;
  home.write("a.env", "A=1\nB=1");
  home.write("b.env", "B=2");
  EXPECT_EQ(read_env_files(home.path, "a.env,b.env"), (Environment{{"A", "1"}, {"B", "2"}}));
}

TEST(EnvFiles, DoWithoutDotEnvButNotWithoutANamedOne) {
  TemporaryDirectory home;
  EXPECT_EQ(read_env_files(home.path, ""), Environment{});
  const auto refused = read_env_files(home.path, "gone.env");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::not_found);
}

}  // namespace
}  // namespace renga::local

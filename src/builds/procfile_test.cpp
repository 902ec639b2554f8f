#include "builds/procfile.h"

#include <gtest/gtest.h>

namespace renga::builds {
namespace {

using Types = releases::ProcessTypes;

Types types(std::string_view text) {
  const auto parsed = Procfile::parse(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? parsed->types : Types{};
}

std::string refusal(std::string_view text) {
  const auto parsed = Procfile::parse(text);
  EXPECT_FALSE(parsed);
  return parsed ? "" : parsed.error().message;
}

TEST(Procfile, HasOneProcessTypeALine) {
  EXPECT_EQ(
      types("web: gunicorn app\nworker_2:  python  work.py --to=a:b \nMy-Type:x"),
      (Types{{"web", "gunicorn app"}, {"worker_2", "python  work.py --to=a:b"}, {"My-Type", "x"}}));
}

TEST(Procfile, SkipsBlankLinesAndComments) {
  EXPECT_EQ(types("# what runs\n\n   \n  # more\nweb: x\n"), (Types{{"web", "x"}}));
  EXPECT_EQ(types(""), Types{});
}

TEST(Procfile, TakesLineEndsAndMarksOfOtherSystems) {
  EXPECT_EQ(types("\xEF\xBB\xBFweb: x\r\nworker: y\r\n"), (Types{{"web", "x"}, {"worker", "y"}}));
}

TEST(Procfile, LetsTheLastOfTwoWin) { EXPECT_EQ(types("web: a\nweb: b"), (Types{{"web", "b"}})); }

TEST(Procfile, NamesTheLineThatItRefuses) {
  EXPECT_EQ(refusal("web: x\n\nworker python work.py\n"),
            "Procfile, line 3: \"worker python work.py\" is not a process type and its command. "
            "Write it as "
            "\"web: command\", with letters, digits, '-' and '_' before the colon.");
  EXPECT_EQ(refusal("web:   \n"), "Procfile, line 1: \"web:   \" has no command after the colon.");
  EXPECT_NE(refusal(" web: x").find("line 1"), std::string::npos);
  EXPECT_NE(refusal("we b: x").find("line 1"), std::string::npos);
  EXPECT_NE(refusal(": x").find("line 1"), std::string::npos);
  EXPECT_NE(refusal(std::string(64, 'a') + ": x").find("more than 63"), std::string::npos);
  EXPECT_NE(refusal(std::string_view("web: a\0b", 8)).find("NUL"), std::string::npos);
  EXPECT_NE(refusal(std::string(100'000, 'a')).find("larger than 64 KB"), std::string::npos);
  EXPECT_NE(refusal("\x1b[2Jx").find("\\x1b[2Jx"), std::string::npos)
      << "shown without moving the cursor";
}

}  // namespace
}  // namespace renga::builds

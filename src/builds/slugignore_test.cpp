#include "builds/slugignore.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"

namespace renga::builds {
namespace {

namespace fs = std::filesystem;
using Entry = Slugignore::Entry;

bool ignores(std::string_view pattern, std::string_view path, Entry entry = Entry::file) {
  return Slugignore::parse(pattern).matches(path, entry);
}

TEST(Glob, MatchesWithinAName) {
  EXPECT_TRUE(glob_matches("*.psd", "logo.psd"));
  EXPECT_TRUE(glob_matches("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(glob_matches("[a-c]?[!0-9]", "bxx"));
  EXPECT_TRUE(glob_matches("[]x]", "]"));
  EXPECT_TRUE(glob_matches("\\*", "*"));
  EXPECT_TRUE(glob_matches("a[b", "a[b"));
  EXPECT_FALSE(glob_matches("*.psd", "logo.psd2"));
  EXPECT_FALSE(glob_matches("[a-c]", "d"));
  EXPECT_FALSE(glob_matches("\\*", "x"));
  EXPECT_FALSE(glob_matches("", "x"));
}

TEST(Glob, TakesNoLongerForAGlobThatIsMeantToTakeLong) {
  std::string glob;
  for (int i = 0; i < 500; ++i) glob += "*a";
  EXPECT_FALSE(glob_matches(glob + "b", std::string(5'000, 'a')));
}

TEST(Slugignore, MatchesAsGitDoes) {
  EXPECT_TRUE(ignores("*.psd", "assets/deep/logo.psd"));
  EXPECT_TRUE(ignores("test", "src/test", Entry::directory));
  EXPECT_TRUE(ignores("/test", "test"));
  EXPECT_FALSE(ignores("/test", "src/test"));
  EXPECT_TRUE(ignores("doc/*.md", "doc/a.md"));
  EXPECT_FALSE(ignores("doc/*.md", "doc/deep/a.md"));
  EXPECT_FALSE(ignores("doc/*.md", "src/doc/a.md"));
  EXPECT_TRUE(ignores("**/logs/**", "a/b/logs/c/d"));
  EXPECT_TRUE(ignores("spec/", "spec", Entry::directory));
  EXPECT_FALSE(ignores("spec/", "spec", Entry::file));
}

TEST(Slugignore, SkipsCommentsAndNegations) {
  const auto ignore = Slugignore::parse("# a comment\n\n!keep.txt\n/\n");
  EXPECT_TRUE(ignore.empty());
  EXPECT_EQ(ignore.skipped(), std::vector<std::string>{"!keep.txt"});
}

TEST(Slugignore, TakesAwayWhatMatchesAndFollowsNoLink) {
  const auto top = fs::temp_directory_path() / ("renga-slugignore-" + new_uuid());
  const auto outside = fs::temp_directory_path() / ("renga-slugignore-" + new_uuid());
  fs::create_directories(top / "spec" / "deep");
  fs::create_directories(top / "src");
  fs::create_directories(outside);
  for (const auto& file :
       {top / "spec/deep/a.rb", top / "src/b.psd", top / "src/keep.rb", outside / "c.psd"})
    std::ofstream(file) << "x";
  fs::create_directory_symlink(outside, top / "src" / "link");

  EXPECT_EQ(Slugignore::parse("spec/\n*.psd\n").apply(top), 2u);
  EXPECT_FALSE(fs::exists(top / "spec"));
  EXPECT_FALSE(fs::exists(top / "src/b.psd"));
  EXPECT_TRUE(fs::exists(top / "src/keep.rb"));
  EXPECT_TRUE(fs::exists(outside / "c.psd"));
  fs::remove_all(top);
  fs::remove_all(outside);
}

}  // namespace
}  // namespace renga::builds

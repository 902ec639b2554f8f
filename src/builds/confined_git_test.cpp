#include "builds/confined_git.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/random.h"
#include "os/file.h"

namespace renga::builds {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ConfinedGitTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!os::files_can_be_confined()) GTEST_SKIP() << "needs Landlock";
    for (const auto* name : {"mine", "theirs"}) {
      fs::create_directories(top / name);
      std::ofstream(top / name / "file") << name;
      const auto at = (top / name).string();
      plain({"init", "-q", at});
      plain({"-C", at, "add", "-A"});
      plain({"-C", at, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m",
             "x"});
    }
  }
  void TearDown() override { fs::remove_all(top); }

  static void plain(std::vector<std::string> words) {
    words.insert(words.begin(), "git");
    const auto done = os::run({.argv = words});
    ASSERT_EQ(done.status, 0) << done.err;
  }
  fs::path repository(const char* name) const { return top / name / ".git"; }

  const fs::path top = fs::temp_directory_path() / ("renga-confined-" + random_hex(6));
};

TEST_F(ConfinedGitTest, ReadsItsRepositoryAndNoOther) {
  EXPECT_EQ(os::run(git_read_command(repository("mine"), {"show", "HEAD:file"})).out, "mine");
  for (const auto& command : {git_read_command, git_write_command}) {
    const auto theirs = os::run(command(
        repository("mine"), {"--git-dir=" + repository("theirs").string(), "show", "HEAD:file"}));
    EXPECT_NE(theirs.status, 0);
    EXPECT_EQ(theirs.out, "");
    const auto secret =
        os::run(command(repository("mine"), {"hash-object", (top / "theirs/file").string()}));
    EXPECT_THAT(secret.err, HasSubstr("Permission denied"));
  }
}

TEST_F(ConfinedGitTest, WritesNothingUnlessItIsToWrite) {
  const std::vector<std::string> move = {"update-ref", "refs/heads/moved", "HEAD"};
  EXPECT_NE(os::run(git_read_command(repository("mine"), move)).status, 0);
  EXPECT_FALSE(fs::exists(repository("mine") / "refs/heads/moved"));
  EXPECT_EQ(os::run(git_write_command(repository("mine"), move)).status, 0);
  EXPECT_TRUE(fs::exists(repository("mine") / "refs/heads/moved"));

  for (const auto& command : {git_read_command, git_write_command})
    EXPECT_NE(os::run(command(repository("mine"),
                              {"archive", "--output=" + (top / "written").string(), "HEAD"}))
                  .status,
              0);
  EXPECT_FALSE(fs::exists(top / "written"));
}

}  // namespace
}  // namespace renga::builds

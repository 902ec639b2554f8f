#include "git/pushed_refs.h"

#include <gtest/gtest.h>

namespace renga::git {
namespace {

const std::string none(40, '0'), one(40, '1'), two(40, '2');

std::string line(const std::string& from, const std::string& to, const std::string& ref) {
  return from + " " + to + " " + ref + "\n";
}

TEST(PushedRefs, DeployMainAndMasterOnly) {
  EXPECT_EQ(read_pushed_refs(line(none, one, "refs/heads/main"))->commit, one);
  EXPECT_EQ(read_pushed_refs(line(one, two, "refs/heads/master"))->commit, two);
  const auto other = read_pushed_refs(line(none, one, "refs/heads/feature/main"));
  EXPECT_EQ(other->commit, "");
  EXPECT_EQ(other->others, 1u);
  EXPECT_EQ(read_pushed_refs(line(none, one, "refs/tags/main"))->others, 0u);
  EXPECT_EQ(read_pushed_refs(line(one, none, "refs/heads/feature"))->others, 0u);
}

TEST(PushedRefs, DeployOneCommit) {
  const auto same = line(none, one, "refs/heads/main") + line(none, one, "refs/heads/master");
  EXPECT_EQ(read_pushed_refs(same)->commit, one);
  const auto different = line(none, one, "refs/heads/main") + line(none, two, "refs/heads/master");
  EXPECT_FALSE(read_pushed_refs(different));
}

TEST(PushedRefs, KeepMain) {
  const auto refused = read_pushed_refs(line(one, none, "refs/heads/main"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("cannot be deleted"), std::string::npos);
  EXPECT_FALSE(read_pushed_refs("noise\n"));
}

}  // namespace
}  // namespace renga::git

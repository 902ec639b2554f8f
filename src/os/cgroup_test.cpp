#include "os/cgroup.h"

#include <gmock/gmock.h>

namespace renga::os {
namespace {

TEST(CgroupTrees, FindsOneTreeOnAV2Host) {
  const auto trees = CgroupTrees::parse(
      "24 31 0:22 / /sys rw,nosuid - sysfs sysfs rw\n"
      "29 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  EXPECT_EQ(trees.v2, "/sys/fs/cgroup");
  EXPECT_TRUE(trees.v1.empty());
}

TEST(CgroupTrees, FindsControllersAndAV2TreeOnAHybridHost) {
  const auto trees = CgroupTrees::parse(
      "30 29 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n"
      "31 29 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
      "32 29 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "33 29 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n");
  EXPECT_EQ(trees.v2, "/sys/fs/cgroup/unified");
  EXPECT_EQ(trees.v1.at("cpu"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(trees.v1.at("memory"), "/sys/fs/cgroup/memory");
  EXPECT_FALSE(trees.v1.contains("pids"));
}

TEST(CgroupTrees, PassesOverWhatItCannotRead) {
  EXPECT_FALSE(CgroupTrees::parse("\nnonsense\n1 2 - cgroup2\n - - -\n").v2);
}

}  // namespace
}  // namespace renga::os

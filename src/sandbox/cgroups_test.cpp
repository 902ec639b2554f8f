// What is written where, on hosts whose control groups are another kind than this one's: the trees
// are directories, and the kernel's files are made by hand. What the kernel makes of it, the other
// tests of this room try on the host's own.
#include "sandbox/cgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <fstream>

#include "base/random.h"
#include "os/file.h"

namespace renga::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr const char* place = "5b0c4a55-1df5-4b0f-9a51-0a8f2f6b3c11";

class CgroupsTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(top); }
  void make(const fs::path& file, const std::string& text = "") {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  static std::string content(const fs::path& file) {
    return os::read_file(file).value_or("<none>");
  }

  const fs::path top = fs::temp_directory_path() / ("renga-cgroups-" + random_hex(6));
  const Limits limits{.memory_bytes = 64 << 20, .cpu_weight = 25, .pids = 32};
};

TEST_F(CgroupsTest, OnV2AloneAllIsThere) {
  make(top / "cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
  make(top / "cgroup.subtree_control");
  make(top / "renga-s/cgroup.subtree_control");
  const os::CgroupTrees trees{.v2 = top, .v1 = {}};
  EXPECT_FALSE(Cgroups::unsupported(trees));
  Cgroups groups(trees, "s");
  groups.prepare();
  EXPECT_EQ(content(top / "cgroup.subtree_control"), "+memory +cpu +pids");
  EXPECT_EQ(content(top / "renga-s/cgroup.subtree_control"), "+memory +cpu +pids");

  // The kernel makes them with the directory, and takes each write for the whole.
  const auto own = top / "renga-s" / place;
  const auto limit_files = [&] {
    for (const auto* file : {"memory.max", "memory.swap.max", "cpu.weight", "pids.max"})
      make(own / file);
  };
  limit_files();
  const auto group = groups.create(place);
  EXPECT_TRUE(group.v2);
  EXPECT_TRUE(group.attach.empty()) << "the clone puts it there";
  EXPECT_EQ(content(own / "memory.swap.max"), content(own / "memory.max"));
  limit_files();
  groups.limit(place, limits);
  EXPECT_EQ(content(own / "memory.max"), "67108864");
  EXPECT_EQ(content(own / "cpu.weight"), "25");
  EXPECT_EQ(content(own / "pids.max"), "32");

  make(own / "memory.current", "5000000\n");
  make(own / "memory.stat", "anon 3000000\nfile 2000000\ninactive_file 1500000\npgfault 12\n");
  make(own / "memory.events", "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\n");
  make(own / "memory.swap.current", "1000000\n");
  make(own / "cpu.stat", "usage_usec 123456\nuser_usec 1\n");
  make(own / "cgroup.threads", "1\n");
  const auto memory = groups.memory(place);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->used_bytes, 4'500'000);
  EXPECT_EQ(memory->out_of_memory_kills, 1);
  const auto usage = groups.usage(place);
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->rss_bytes, 3'000'000);
  EXPECT_EQ(usage->cache_bytes, 2'000'000);
  EXPECT_EQ(usage->cpu_micros, 123'456);
  EXPECT_EQ(usage->swap_bytes, 1'000'000);
  EXPECT_EQ(groups.memory_events(place).events, POLLPRI);

  make(own / "cgroup.freeze", "0\n");
  make(own / "cgroup.kill");
  make(own / "cgroup.procs", "12\n345\n");
  EXPECT_TRUE(groups.freeze(place, true));
  EXPECT_EQ(content(own / "cgroup.freeze"), "1\n");
  EXPECT_TRUE(groups.frozen(place));
  groups.kill(place);
  EXPECT_EQ(content(own / "cgroup.kill"), "1");
  EXPECT_THAT(groups.processes(place), testing::ElementsAre(12, 345));
}

TEST_F(CgroupsTest, OnV1AloneTheFreezerIsItsOwn) {
  os::CgroupTrees trees;
  for (const auto* name : {"memory", "cpu", "pids", "freezer"}) {
    fs::create_directories(top / name);
    trees.v1[name] = top / name;
  }
  EXPECT_FALSE(Cgroups::unsupported(trees));
  Cgroups groups(trees, "s");
  groups.prepare();
  for (const auto* name : {"memory", "cpu", "pids", "freezer"})
    make(top / name / "renga-s" / place / "cgroup.procs");
  const auto of = [&](const char* tree) { return top / tree / "renga-s" / place; };
  const auto limit_files = [&] {
    make(of("memory") / "memory.limit_in_bytes");
    make(of("cpu") / "cpu.shares");
    make(of("pids") / "pids.max");
  };
  limit_files();
  EXPECT_EQ(groups.create(place).attach.size(), 4u);
  limit_files();
  groups.limit(place, limits);
  EXPECT_EQ(content(of("memory") / "memory.limit_in_bytes"), "67108864");
  EXPECT_EQ(content(of("cpu") / "cpu.shares"), "256");
  EXPECT_EQ(content(of("pids") / "pids.max"), "32");
  make(of("freezer") / "freezer.state", "THAWED\n");
  EXPECT_TRUE(groups.freeze(place, true));
  EXPECT_TRUE(groups.frozen(place));
}

TEST_F(CgroupsTest, WithoutAControllerNothingIsPromised) {
  make(top / "cgroup.controllers", "cpu memory\n");
  const auto why = Cgroups::unsupported({.v2 = top, .v1 = {}});
  ASSERT_TRUE(why);
  EXPECT_THAT(*why, testing::HasSubstr("There is no pids control group controller"));
}

}  // namespace
}  // namespace renga::sandbox

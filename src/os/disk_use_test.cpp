#include "os/disk_use.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/random.h"

namespace renga::os {
namespace {

namespace fs = std::filesystem;

class DiskUseTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(top / "a/b"); }
  void TearDown() override { fs::remove_all(top); }
  void write(const std::string& name, std::size_t size) {
    std::ofstream(top / name, std::ios::app) << std::string(size, 'x');
  }

  const fs::path top = fs::temp_directory_path() / ("renga-disk-use-" + random_hex(6));
};

TEST_F(DiskUseTest, CountsWhatIsBelowOnce) {
  const auto before = disk_use(top);
  write("a/b/file", 1 << 20);
  const auto one = disk_use(top) - before;
  EXPECT_GE(one, 1 << 20);
  EXPECT_LT(one, 2 << 20);
  fs::create_hard_link(top / "a/b/file", top / "again");
  fs::create_directory_symlink("/usr", top / "elsewhere");
  EXPECT_LT(disk_use(top) - before, 2 << 20) << "another name, and a link out";
  EXPECT_EQ(disk_use(top / "nowhere"), 0);
}

TEST_F(DiskUseTest, CountsWhatIsEmpty) {
  const auto before = disk_use(top);
  for (int i = 0; i < 100; ++i) write("empty" + std::to_string(i), 0);
  EXPECT_EQ(disk_use(top) - before, 100 * 4096);
}

TEST_F(DiskUseTest, KnowsTheDisk) {
  EXPECT_GT(disk_size(top), 0);
  EXPECT_EQ(disk_size(top / "nowhere"), 0);
  EXPECT_FALSE(nearly_full(top / "nowhere"));
}

TEST_F(DiskUseTest, NothingHidesInTheDepth) {
  auto path = top;
  for (int i = 0; i < 305; ++i) path /= "d";
  fs::create_directories(path);
  EXPECT_EQ(disk_use(top), INT64_MAX);
}

TEST_F(DiskUseTest, WatchesAWriter) {
  DiskWatch watch(top, 4 << 20);
  EXPECT_FALSE(watch.over());
  write("growing", 1 << 20);
  bool over = false;
  for (int i = 0; i < 1'000 && !over; ++i) {
    write("growing", 64 << 10);
    over = watch.over();
    EXPECT_TRUE(!over || disk_use(top) > (4 << 20));
    usleep(10'000);
  }
  EXPECT_TRUE(over);
}

}  // namespace
}  // namespace renga::os

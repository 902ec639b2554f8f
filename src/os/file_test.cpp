#include "os/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace renga::os {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest() {
    auto pattern = (fs::temp_directory_path() / "renga-file-XXXXXX").string();
    directory = mkdtemp(pattern.data());
  }
  ~FileTest() override { fs::remove_all(directory); }

  void remove(const std::string& name) {
    remove_tree(open_file(directory, O_RDONLY | O_DIRECTORY).get(), name);
  }
  fs::path directory;
};

TEST_F(FileTest, ReadsWhatIsThereAndSaysWhenNothingIs) {
  std::ofstream(directory / "a") << "text";
  EXPECT_EQ(read_file(directory / "a"), "text");
  EXPECT_EQ(read_file(directory / "a", 2), "te");
  EXPECT_EQ(read_file(directory / "none"), std::nullopt);
  EXPECT_EQ(read_file(directory / "a/b"), std::nullopt);
}

TEST_F(FileTest, ReplacesAFileWhole) {
  replace_file(directory / "a", "first", 0600);
  replace_file(directory / "a", "x", 0600);
  EXPECT_EQ(read_file(directory / "a"), "x");
  EXPECT_FALSE(fs::exists(directory / "a.new"));
}

TEST_F(FileTest, RemovesATreeAndNothingThatItsLinksPointTo) {
  fs::create_directories(directory / "kept");
  std::ofstream(directory / "kept/file") << "x";
  fs::create_directories(directory / "tree/a/b/c");
  fs::create_directories(directory / "tree/empty");
  std::ofstream(directory / "tree/a/b/file") << "x";
  fs::create_directory_symlink(directory / "kept", directory / "tree/a/link");
  fs::create_symlink("/etc/passwd", directory / "tree/dangling");
  remove("tree");
  EXPECT_FALSE(fs::exists(directory / "tree"));
  EXPECT_TRUE(fs::exists(directory / "kept/file"));
}

TEST_F(FileTest, RemovesATreeDeeperThanAPathMayBeLong) {
  auto current = open_file(directory, O_RDONLY | O_DIRECTORY);
  const std::string name(200, 'd');
  for (int depth = 0; depth < 200; ++depth) {
    ASSERT_EQ(mkdirat(current.get(), name.c_str(), 0700), 0);
    current = Fd(openat(current.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  current.close();
  remove(name);
  EXPECT_TRUE(fs::is_empty(directory));
}

TEST_F(FileTest, RemovesFilesLinksAndNothingTwice) {
  std::ofstream(directory / "file") << "x";
  fs::create_directory_symlink("/usr", directory / "link");
  remove("file");
  remove("link");
  remove("link");
  EXPECT_TRUE(fs::is_empty(directory));
  EXPECT_TRUE(fs::exists("/usr"));
}

TEST_F(FileTest, SealsACopySoThatNobodyCanChangeIt) {
  std::ofstream(directory / "program") << "bytes";
  const auto copy = sealed_copy(directory / "program");
  char buffer[8];
  EXPECT_EQ(pread(copy.get(), buffer, sizeof buffer, 0), 5);
  EXPECT_EQ(pwrite(copy.get(), "x", 1, 0), -1);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(ftruncate(copy.get(), 0), 0);
  EXPECT_EQ(mmap(nullptr, 5, PROT_WRITE, MAP_SHARED, copy.get(), 0), MAP_FAILED);
}

}  // namespace
}  // namespace renga::os

#include "crypto/secret_box.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>
#include <thread>

#include "crypto/private_file.h"
#include "crypto/testing/temporary_directory.h"

namespace renga::crypto {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST(SecretBox, OpensWhatItSealed) {
  const SecretBox box;
  const std::string samples[] = {"", "postgres://u:p@h/d", std::string("\0\xff\n", 3)};
  for (const auto& plain : samples)
    EXPECT_EQ(box.open(box.seal(plain, "config/1"), "config/1"), plain);
}

TEST(SecretBox, SealsTheSameTextDifferentlyEachTime) {
  const SecretBox box;
  EXPECT_NE(box.seal("secret", "config/1"), box.seal("secret", "config/1"));
  EXPECT_EQ(box.seal("secret", "config/1").find("secret"), std::string::npos);
}

TEST(SecretBox, RefusesAnotherContext) {
  const SecretBox box;
  const auto sealed = box.seal("secret", "config/1");
  EXPECT_THROW(box.open(sealed, "config/2"), std::runtime_error);
  EXPECT_THROW(box.open(sealed, ""), std::runtime_error);
}

TEST(SecretBox, RefusesAnotherKey) {
  EXPECT_THROW(SecretBox().open(SecretBox().seal("secret", "c"), "c"), std::runtime_error);
}

TEST(SecretBox, RefusesEveryAlteredByteAndEveryShorterText) {
  const SecretBox box;
  const auto sealed = box.seal("secret", "c");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto altered = sealed;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_THROW(box.open(altered, "c"), std::runtime_error) << i;
    EXPECT_THROW(box.open(sealed.substr(0, i), "c"), std::runtime_error) << i;
  }
}

TEST(SecretBox, KeepsItsKeyInAPrivateFile) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "secret.key";
  const auto sealed = SecretBox(file).seal("secret", "c");
  EXPECT_EQ(mode_of(file), 0600u);
  EXPECT_EQ(SecretBox(file).open(sealed, "c"), "secret");
}

TEST(SecretBox, NeverReplacesAKeyFileItCannotUse) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "secret.key";
  std::ofstream(file) << "short";
  EXPECT_THROW(SecretBox{file}, std::runtime_error);
  EXPECT_EQ(read_file(file), "short");
  EXPECT_THROW(SecretBox{directory.path() / "missing" / "key"}, std::system_error);
}

TEST(SecretBox, SharesOneKeyBetweenStartsAtTheSameInstant) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "secret.key";
  std::string sealed[4];
  std::vector<std::thread> starts;
  for (auto& mine : sealed)
    starts.emplace_back([&] { mine = SecretBox(file).seal("secret", "c"); });
  for (auto& start : starts) start.join();
  for (const auto& each : sealed) EXPECT_EQ(SecretBox(file).open(each, "c"), "secret");
}

TEST(PrivateFile, ReplacesWholeFilesAndLeavesNoDrafts) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  replace_file(file, "one", 0600);
  replace_file(file, "two", 0644);
  EXPECT_FALSE(create_file(file, "three", 0600));
  EXPECT_EQ(read_file(file), "two");
  EXPECT_EQ(mode_of(file), 0644u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
  EXPECT_FALSE(read_file(directory.path() / "none"));
}

}  // namespace
}  // namespace renga::crypto

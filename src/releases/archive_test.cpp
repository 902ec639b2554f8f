#include "releases/archive.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "releases/testing/tarball.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct stat status_of(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status;
}

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() {
    fs::create_directories(target);
    write_file(outside / "secret", "untouched");
  }

  Result<void> unpack_these(const std::vector<Member>& members, const UnpackLimits& limits = {}) {
    write_tar(archive, members);
    return unpack(archive, target, limits);
  }
  // Refused with a message that names the entry, and nothing outside changed.
  void expect_refused(const std::vector<Member>& members, const std::string& named) {
    const auto result = unpack_these(members);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, Kind::invalid);
    EXPECT_THAT(result.error().message, HasSubstr(named));
    EXPECT_EQ(content(outside / "secret"), "untouched");
    EXPECT_EQ(std::distance(fs::directory_iterator(outside), fs::directory_iterator()), 1);
    EXPECT_FALSE(fs::exists(scratch.path / "evil"));
  }

  Scratch scratch;
  fs::path archive = scratch.path / "archive.tar.gz";
  fs::path target = scratch.path / "target";
  fs::path outside = scratch.path / "outside";
};

TEST_F(ArchiveTest, UnpacksFilesDirectoriesAndLinks) {
  ASSERT_TRUE(unpack_these({directory("./app/"), file("./app/bin/web", "#!/bin/sh\n", 0755),
                            file("app/grüße.txt", "hello"), symlink("app/web", "bin/web"),
                            hard_link("app/again", "app/bin/web")}));
  EXPECT_EQ(content(target / "app/bin/web"), "#!/bin/sh\n");
  EXPECT_EQ(status_of(target / "app/bin/web").st_mode & 07777, 0755u);
  EXPECT_EQ(status_of(target / "app/bin/web").st_mtim.tv_sec, 1'700'000'000);
  EXPECT_EQ(content(target / "app/grüße.txt"), "hello");
  EXPECT_EQ(fs::read_symlink(target / "app/web"), "bin/web");
  EXPECT_EQ(status_of(target / "app/again").st_nlink, 2u);
  EXPECT_EQ(status_of(target / "app/bin/web").st_uid, geteuid());
}

TEST_F(ArchiveTest, ReadsZstdAndPlainTar) {
  for (const int filter : {ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_NONE}) {
    write_tar(archive, {file("name", std::to_string(filter))}, filter);
    ASSERT_TRUE(unpack(archive, target));
    EXPECT_EQ(content(target / "name"), std::to_string(filter));
  }
}

TEST_F(ArchiveTest, RefusesNamesThatClimbOut) {
  expect_refused({file("../evil")}, "../evil");
  expect_refused({file("app/../../evil")}, "app/../../evil");
  expect_refused({directory("../evil")}, "../evil");
  expect_refused({symlink("../evil", "x")}, "../evil");
}

TEST_F(ArchiveTest, RefusesAbsoluteNames) {
  expect_refused({file((scratch.path / "evil").string())}, "evil");
}

TEST_F(ArchiveTest, RefusesDevicesAndFifos) {
  expect_refused({Member{"dev/null", AE_IFCHR}}, "\"dev/null\" is a device");
  expect_refused({Member{"dev/sda", AE_IFBLK}}, "\"dev/sda\" is a device");
  expect_refused({Member{"pipe", AE_IFIFO}}, "\"pipe\" is a fifo");
}

TEST_F(ArchiveTest, RefusesToWriteThroughASymbolicLink) {
  expect_refused({symlink("d", outside.string()), file("d/secret", "evil")}, "d/secret");
  expect_refused({symlink("d", outside.string()), directory("d/made")}, "d/made");
  expect_refused({symlink("d", outside.string()), symlink("d/made", "x")}, "d/made");
  expect_refused({directory("a/b"), symlink("a/b/up", ".."), file("a/b/up/c")}, "a/b/up/c");
}

TEST_F(ArchiveTest, ReplacesALinkInsteadOfWritingToWhereItPoints) {
  ASSERT_TRUE(unpack_these({symlink("f", (outside / "secret").string()), file("f", "mine")}));
  EXPECT_EQ(content(outside / "secret"), "untouched");
  EXPECT_EQ(content(target / "f"), "mine");
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(target / "f")));

  ASSERT_TRUE(
      unpack_these({symlink("d", outside.string()), directory("d"), file("d/secret", "mine")}));
  EXPECT_EQ(content(outside / "secret"), "untouched");
  EXPECT_EQ(content(target / "d/secret"), "mine");
}

TEST_F(ArchiveTest, DoesNotFollowALinkThatWasThereBefore) {
  fs::create_directory_symlink(outside, target / "d");
  expect_refused({file("d/secret", "evil")}, "d/secret");
}

TEST_F(ArchiveTest, RefusesRelativeLinksThatLeadOut) {
  expect_refused({symlink("a/link", "../../outside/secret")}, "a/link");
  expect_refused({symlink("link", "x/../../outside")}, "link");
}

TEST_F(ArchiveTest, KeepsRelativeLinksInsideAndAbsoluteLinksAsTheyAre) {
  ASSERT_TRUE(
      unpack_these({symlink("app/a/python", "/app/.heroku/python"),
                    symlink("app/python3", "/usr/bin/python3"), symlink("app/a/b", "../c")}));
  EXPECT_EQ(fs::read_symlink(target / "app/a/python"), "/app/.heroku/python");
  EXPECT_EQ(fs::read_symlink(target / "app/python3"), "/usr/bin/python3");
  EXPECT_EQ(fs::read_symlink(target / "app/a/b"), "../c");
}

TEST_F(ArchiveTest, RefusesHardLinksToAnythingOutside) {
  expect_refused({hard_link("mine", "../outside/secret")}, "mine");
  expect_refused({hard_link("mine", (outside / "secret").string())}, "mine");
  expect_refused({symlink("d", outside.string()), hard_link("mine", "d/secret")}, "mine");
  expect_refused({symlink("s", (outside / "secret").string()), hard_link("mine", "s")}, "mine");
  EXPECT_EQ(status_of(outside / "secret").st_nlink, 1u);
}

TEST_F(ArchiveTest, DropsSetuidSetgidAndSticky) {
  ASSERT_TRUE(unpack_these({file("su", "x", 06755), directory("tmp", 01777)}));
  EXPECT_EQ(status_of(target / "su").st_mode & 07777, 0755u);
  EXPECT_EQ(status_of(target / "tmp").st_mode & 07777, 0777u);
}

TEST_F(ArchiveTest, LeavesEverythingRemovableByItsOwner) {
  ASSERT_TRUE(unpack_these({directory("shut", 0), file("shut/in", "x", 0)}));
  EXPECT_EQ(status_of(target / "shut").st_mode & 0777, 0700u);
  EXPECT_EQ(status_of(target / "shut/in").st_mode & 0777, 0400u);
}

TEST_F(ArchiveTest, GivesEverythingToTheOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  write_tar(archive,
            {file("app/made/on/the/way"), symlink("app/link", "/nowhere"), directory("app/d")});
  ASSERT_TRUE(unpack(archive, target, {}, 1000));
  for (const auto& each : fs::recursive_directory_iterator(target)) {
    EXPECT_EQ(status_of(each.path()).st_uid, 1000u) << each.path();
    EXPECT_EQ(status_of(each.path()).st_gid, 1000u) << each.path();
  }
}

TEST_F(ArchiveTest, StopsAtTheLimitOfBytes) {
  const auto result = unpack_these({file("bomb", std::string(3 << 20, '\0'))}, {.bytes = 1 << 20});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::too_large);
  EXPECT_THAT(result.error().message, HasSubstr("larger than 1 MB"));
  const auto many = unpack_these(
      {file("a", std::string(700 << 10, '\0')), file("b", std::string(700 << 10, '\0'))},
      {.bytes = 1 << 20});
  ASSERT_FALSE(many);
  EXPECT_FALSE(fs::exists(target / "b"));
}

TEST_F(ArchiveTest, CountsTheHolesOfSparseFiles) {
  auto huge = file("huge", "start");
  huge.hole = 1LL << 40;
  const auto result = unpack_these({huge});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::too_large);
  EXPECT_FALSE(fs::exists(target / "huge"));

  huge.hole = 1 << 20;
  ASSERT_TRUE(unpack_these({huge}));
  EXPECT_EQ(fs::file_size(target / "huge"), 1u << 20);
  EXPECT_LT(status_of(target / "huge").st_blocks, 100);
}

TEST_F(ArchiveTest, StopsAtTheLimitOfEntries) {
  const auto result = unpack_these({file("a"), file("b"), file("c")}, {.entries = 2});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::too_large);
  EXPECT_FALSE(fs::exists(target / "c"));
}

TEST_F(ArchiveTest, RefusesTreesTooDeepAndNamesTooLong) {
  std::string deep = "d";
  for (int i = 0; i < 300; ++i) deep += "/d";
  expect_refused({file(deep)}, "directories deep");
  expect_refused({file(std::string(300, 'n'))}, "nnn");
  expect_refused({file("a"), file("a/b")}, "a/b");
  expect_refused({directory("dir"), file("dir")}, "dir");
}

TEST_F(ArchiveTest, SaysThatSomethingIsNoArchive) {
  for (const std::string bytes : {"", "hello, I am no archive", "\x1f\x8b\x08 broken"}) {
    write_file(archive, bytes);
    const auto result = unpack(archive, target);
    ASSERT_FALSE(result) << bytes;
    EXPECT_EQ(result.error().kind, Kind::invalid);
    EXPECT_THAT(result.error().message, HasSubstr("must be a tar file"));
  }
  std::string noise;
  for (int i = 0; i < 100'000; ++i) noise += static_cast<char>((i * 7919) >> 5);
  write_tar(archive, {file("a", noise)});
  fs::resize_file(archive, fs::file_size(archive) / 2);
  EXPECT_FALSE(unpack(archive, target));
}

class PackTest : public ArchiveTest {
 protected:
  fs::path app = scratch.path / "build";
  fs::path packed = scratch.path / "slug.tar.zst";
};

TEST_F(PackTest, GivesBackWhatWasPacked) {
  write_file(app / "bin/web", "web");
  fs::permissions(app / "bin/web", fs::perms(0755));
  write_file(app / "ünïcode/näme", "text");
  write_file(app / std::string(180, 'l') / std::string(180, 'm'), "long");
  write_file(app / "big", std::string(700'000, 'b'));
  fs::create_directory(app / "empty");
  fs::create_symlink("/usr/bin/python3", app / "python");
  fs::create_hard_link(app / "big", app / "same");
  const auto sha = pack(app, packed, "app");
  EXPECT_EQ(sha, crypto::sha256(content(packed)));
  EXPECT_EQ(status_of(packed).st_mode & 0777, 0600u);

  ASSERT_TRUE(unpack(packed, target));
  EXPECT_EQ(content(target / "app/bin/web"), "web");
  EXPECT_EQ(status_of(target / "app/bin/web").st_mode & 0777, 0755u);
  EXPECT_EQ(status_of(target / "app/bin/web").st_mtim.tv_sec,
            status_of(app / "bin/web").st_mtim.tv_sec);
  EXPECT_EQ(content(target / "app/ünïcode/näme"), "text");
  EXPECT_EQ(content(target / "app" / std::string(180, 'l') / std::string(180, 'm')), "long");
  EXPECT_TRUE(fs::is_directory(target / "app/empty"));
  EXPECT_EQ(fs::read_symlink(target / "app/python"), "/usr/bin/python3");
  EXPECT_EQ(content(target / "app/same"), content(app / "big"));
  EXPECT_EQ(status_of(target / "app/same").st_nlink, 2u);
}

TEST_F(PackTest, GivesTheSameBytesForTheSameTree) {
  for (const auto* copy : {"one", "two"}) {
    for (const auto* name : {"z", "a", "m/n"}) {
      write_file(scratch.path / copy / name, name);
      fs::last_write_time(scratch.path / copy / name, fs::file_time_type(std::chrono::seconds(0)));
    }
  }
  EXPECT_EQ(pack(scratch.path / "one", packed, "app"),
            pack(scratch.path / "two", scratch.path / "again.tar.zst", "app"));
}

TEST_F(PackTest, MakesLinksThatLeadOutAbsoluteSoThatTheyCanBeUnpacked) {
  fs::create_directories(app / "bin");
  fs::create_symlink("../../usr/bin/python3", app / "bin/python");
  fs::create_symlink("../../../etc/x", app / "bin/far");
  pack(app, packed, "app");
  ASSERT_TRUE(unpack(packed, target));
  EXPECT_EQ(fs::read_symlink(target / "app/bin/python"), "../../usr/bin/python3");
  EXPECT_EQ(fs::read_symlink(target / "app/bin/far"), "/app/bin/../../../etc/x");
}

TEST_F(PackTest, LeavesOutSocketsAndFifos) {
  write_file(app / "kept", "x");
  ASSERT_EQ(mkfifo((app / "fifo").c_str(), 0600), 0);
  pack(app, packed, "app");
  ASSERT_TRUE(unpack(packed, target));
  EXPECT_TRUE(fs::exists(target / "app/kept"));
  EXPECT_FALSE(fs::exists(target / "app/fifo"));
}

}  // namespace
}  // namespace renga::releases

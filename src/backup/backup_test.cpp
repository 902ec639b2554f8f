#include "backup/backup.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "base/random.h"
#include "crypto/digest.h"
#include "os/process.h"
#include "store/database.h"

namespace renga::backup {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    fs::create_directories(data / "slugs/objects");
    fs::create_directories(data / "repositories");
    fs::create_directories(data / "output");
    fs::create_directories(data / "run");
    database = std::make_unique<store::Database>((data / "renga.db").string());
    database->run("CREATE TABLE t (x TEXT)");
    database->run("INSERT INTO t VALUES ('kept')");
    write(data / "secret.key", std::string(32, '\x01'));
    write(data / "ca.pem", "a certificate\n");
    write(data / "run/server.lock", "1");
    write(data / "output/1.done", "Migrated.\n");
    object = crypto::sha256("slug") + "-644";
    write(data / "slugs/objects" / object, "slug");
    old_archive = crypto::sha256("old slug") + ".tar.zst";
    write(data / "slugs" / old_archive, "old slug");
    git({"init", "-q", "--bare", (data / "repositories/empty.git").string()});
    git({"init", "-q", "-b", "main", (home / "work").string()});
    git({"-C", (home / "work").string(), "-c", "user.name=t", "-c", "user.email=t@example.com",
         "commit", "-q", "--allow-empty", "-m", "one"});
    git({"clone", "-q", "--bare", (home / "work").string(),
         (data / "repositories/a1.git").string()});
  }
  ~BackupTest() override { fs::remove_all(home); }

  static void write(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string git(std::vector<std::string> words) {
    words.insert(words.begin(), "git");
    const auto done = os::run({.argv = std::move(words)});
    EXPECT_EQ(done.status, 0) << done.err;
    return done.out;
  }
  // Restoring this file is refused, and leaves nothing.
  void expect_refused(const fs::path& archive, const std::string& why) {
    const auto target = home / "refused";
    const auto result = restore(archive, target);
    ASSERT_FALSE(result) << why;
    EXPECT_THAT(result.error().message, HasSubstr(why));
    for (const auto& entry : fs::directory_iterator(home))
      EXPECT_THAT(entry.path().filename().string(), testing::Not(HasSubstr("refused")));
  }

  const fs::path home = fs::temp_directory_path() / ("renga-backup-" + random_hex(8));
  const fs::path data = home / "data", file = home / "backup.tar", back = home / "back";
  std::unique_ptr<store::Database> database;
  std::string object, old_archive;
};

TEST_F(BackupTest, BringsEverythingBack) {
  const auto made = back_up(data, file);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->slug_files, 2);
  EXPECT_EQ(made->repositories, 1);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_FALSE(fs::exists(data / "backup"));

  const auto restored = restore(file, back);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->bytes, made->bytes);
  for (const auto* name : {"secret.key", "ca.pem", "output/1.done"})
    EXPECT_EQ(read(back / name), read(data / name)) << name;
  EXPECT_EQ(restored->slug_files, 2);
  EXPECT_EQ(read(back / "slugs/objects" / object), "slug");
  EXPECT_EQ(read(back / "slugs" / old_archive), "old slug");
  EXPECT_FALSE(fs::exists(back / "run"));
  EXPECT_FALSE(fs::exists(back / "renga-backup"));
  EXPECT_EQ(
      git({"--git-dir=" + (back / "repositories/a1.git").string(), "log", "--format=%s", "main"}),
      "one\n");
  store::Database again((back / "renga.db").string());
  EXPECT_EQ(again.first("SELECT x FROM t", [](const auto& row) { return row.text(0); }), "kept");
}

TEST_F(BackupTest, WritesNoFileTwiceAndRestoresOverNothing) {
  ASSERT_TRUE(back_up(data, file));
  EXPECT_THAT(back_up(data, file).error().message, HasSubstr("is there already"));
  EXPECT_THAT(restore(file, data).error().message, HasSubstr("not empty"));
  EXPECT_EQ(back_up(home / "nothing", home / "x").error().kind, Kind::not_found);
  EXPECT_EQ(restore(home / "nothing", back).error().kind, Kind::not_found);
  fs::create_directory(back);
  EXPECT_TRUE(restore(file, back));
}

TEST_F(BackupTest, RefusesWhatWasCutShort) {
  ASSERT_TRUE(back_up(data, file));
  const auto whole = read(file);
  const auto cut = home / "cut.tar";
  for (const std::size_t size : {std::size_t{0}, std::size_t{300}, whole.size() / 3,
                                 whole.size() / 2, whole.size() - 2'000}) {
    write(cut, whole.substr(0, size));
    const auto result = restore(cut, home / "refused");
    EXPECT_FALSE(result) << size;
    EXPECT_FALSE(fs::exists(home / "refused"));
  }
  // Whole entries are missing at the end.
  write(cut, whole.substr(0, whole.rfind("checksums") / 512 * 512) + std::string(1024, '\0'));
  expect_refused(cut, "cut short");
}

TEST_F(BackupTest, RefusesWhatWasChanged) {
  ASSERT_TRUE(back_up(data, file));
  const auto whole = read(file);
  for (const std::string_view what : {"a certificate", "Migrated", "format 2"}) {
    auto changed = whole;
    changed[changed.find(what) + 1] ^= 1;
    write(home / "changed.tar", changed);
    expect_refused(home / "changed.tar", "is not what was backed up");
  }
  auto changed = whole;
  changed.replace(changed.find("slugs/objects/") + 14, 4, "0000");
  write(home / "changed.tar", changed);
  EXPECT_FALSE(restore(home / "changed.tar", home / "refused"));
  write(home / "changed.tar", "no tar at all");
  EXPECT_FALSE(restore(home / "changed.tar", home / "refused"));
  EXPECT_FALSE(fs::exists(home / "refused"));
}

// An older program's, whose slugs are archives and nothing else.
TEST_F(BackupTest, RestoresFormatOneAndRefusesWhatIsNewer) {
  const auto pack = [&](const std::string& head) {
    fs::remove_all(home / "old");
    fs::create_directories(home / "old/slugs");
    write(home / "old/renga-backup", head + "\n");
    database->backup_to((home / "old/renga.db").string());
    write(home / "old/slugs" / old_archive, "old slug");
    fs::remove(file);
    const auto made =
        os::run({.argv = {"bash", "-c",
                          "cd \"$1\"; sha256sum renga-backup renga.db slugs/* > checksums && "
                          "tar -cf \"$2\" renga-backup renga.db slugs/* checksums",
                          "pack", (home / "old").string(), file.string()}});
    ASSERT_EQ(made.status, 0) << made.err;
  };
  pack("format 1");
  const auto restored = restore(file, back);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->slug_files, 1);
  EXPECT_EQ(read(back / "slugs" / old_archive), "old slug");
  EXPECT_TRUE(fs::is_directory(back / "slugs/objects"));
  pack("format 3");
  expect_refused(file, "newer renga");
}

TEST_F(BackupTest, RefusesNamesThatLeadElsewhere) {
  write(home / "renga-backup", "format 1\n");
  write(home / "evil", "x");
  for (const auto* name : {"../evil", "/tmp/evil", "slugs/../../evil", "unknown/evil", "slugs/x",
                           "slugs/objects/.x", "slugs/objects/x/y"}) {
    fs::remove(file);
    const auto made = os::run(
        {.argv = {"tar", "-P", "-cf", file.string(), "-C", home.string(),
                  std::string("--transform=s,^evil$,") + name + ",", "renga-backup", "evil"}});
    ASSERT_EQ(made.status, 0) << made.err;
    expect_refused(file, "does not belong there");
  }
  fs::create_symlink("/etc/passwd", home / "link");
  fs::remove(file);
  os::run({.argv = {"tar", "-cf", file.string(), "-C", home.string(), "renga-backup", "link"}});
  expect_refused(file, "does not belong in it");
}

}  // namespace
}  // namespace renga::backup

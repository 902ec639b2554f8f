#include "releases/slugs.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "crypto/digest.h"
#include "releases/testing/house.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SlugsTest : public House {
 protected:
  std::set<std::string> names_in(const std::string& directory) {
    std::set<std::string> names;
    for (const auto& each : fs::directory_iterator(scratch.path / directory))
      names.insert(each.path().filename().string());
    return names;
  }
  // Directories that dynos run from, and objects.
  std::size_t directories() { return names_in("slugs").size() - 1; }
  std::size_t objects() { return names_in("slugs/objects").size(); }
  std::string tree(const Slug& slug) { return slug.checksum.substr(7); }
  // As after a reboot, or when nobody ran from it for long.
  void lose_directory(const Slug& slug) { fs::remove_all(scratch.path / "slugs" / tree(slug)); }
  static struct stat status_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status;
  }
  static ino_t inode(const fs::path& path) { return status_of(path).st_ino; }
  // Long enough to be linked and not copied.
  static std::string long_text(const std::string& text) { return text + std::string(4096, '.'); }
  static std::string file_object(const std::string& text) { return crypto::sha256(text) + "-644"; }
  void is_long_unused(const Slug& slug) {
    fs::last_write_time(scratch.path / "slugs" / tree(slug) / "made",
                        fs::file_time_type::clock::now() - std::chrono::hours(2));
  }
};

TEST_F(SlugsTest, KeepsWhatABuildMade) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  EXPECT_TRUE(slug.checksum.starts_with("SHA256:"));
  EXPECT_EQ(slug.size, 5);
  EXPECT_EQ(slug.process_types, (ProcessTypes{{"web", "bin/web"}}));
  EXPECT_EQ(slug.commit_description, "Say hello");
  EXPECT_EQ(slugs.find(slug.id), slug);
  EXPECT_TRUE(slugs.available(slug));
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
  // The file, bin and the top.
  EXPECT_EQ(names_in("slugs/objects"),
            (std::set<std::string>{
                crypto::sha256("hello") + "-644", tree(slug) + "-tree",
                crypto::sha256("f\t" + crypto::sha256("hello") + "-644\tweb\n") + "-tree"}));

  struct stat status {};
  ASSERT_EQ(stat((scratch.path / "slugs").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(SlugsTest, GivesFilesToTheDynosUserWithoutSetuid) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto app = build("hello");
  fs::create_symlink("/usr/bin/python3", app / "python");
  ASSERT_EQ(chmod((app / "bin/web").c_str(), 06755), 0);
  ASSERT_EQ(mkfifo((app / "fifo").c_str(), 0600), 0);
  const auto directory = slugs.directory(slugs.create(wanted(sushi), app).value()).value();
  struct stat status {};
  for (const auto& each : fs::recursive_directory_iterator(directory.parent_path())) {
    if (each.path().filename() == "made") continue;
    ASSERT_EQ(lstat(each.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 1000u) << each.path();
    EXPECT_EQ(status.st_mode & 07000, 0u) << each.path();
  }
  EXPECT_FALSE(fs::exists(directory / "fifo"));
}

TEST_F(SlugsTest, SharesTheFilesOfEqualSlugs) {
  const auto one = slugs.create(wanted(sushi), build("hello")).value();
  const auto two = slugs.create(wanted(maki), build("hello")).value();
  EXPECT_NE(one.id, two.id);
  EXPECT_EQ(one.checksum, two.checksum);
  EXPECT_EQ(slugs.directory(one), slugs.directory(two));
  EXPECT_EQ(directories(), 1u);
}

TEST_F(SlugsTest, SharesTheFilesThatSlugsHaveInCommon) {
  const auto slug_with = [&](const std::string& text) {
    const auto app = build(long_text("the same"));
    write_file(app / "vendor/library", std::string(100'000, 'x'));
    write_file(app / "text", text);
    return slugs.create(wanted(sushi), app).value();
  };
  const auto one = slugs.directory(slug_with("one")).value();
  const auto before = objects();
  const auto two = slugs.directory(slug_with("two")).value();
  EXPECT_NE(one, two);
  EXPECT_EQ(inode(one / "vendor/library"), inode(two / "vendor/library"));
  EXPECT_EQ(inode(one / "bin/web"), inode(two / "bin/web"));
  EXPECT_EQ(status_of(one / "bin/web").st_nlink, 3u);
  EXPECT_EQ(content(two / "text"), "two");
  EXPECT_EQ(objects(), before + 2) << "the text, and the top directory";
}

TEST_F(SlugsTest, DoesNotMixUpModesOrTheTimesOfSources) {
  const auto same = long_text("same");
  const auto app = build(same);
  for (const auto* name : {"plain", "program", "old.py", "new.py"}) write_file(app / name, same);
  write_file(app / "private/key", "x");
  ASSERT_EQ(chmod((app / "private").c_str(), 0700), 0);
  ASSERT_EQ(chmod((app / "program").c_str(), 0755), 0);
  const auto at = [](int seconds) { return fs::file_time_type(std::chrono::seconds(seconds)); };
  fs::last_write_time(app / "old.py", at(1000));
  fs::last_write_time(app / "new.py", at(2000));
  const auto slug = slugs.create(wanted(sushi), app).value();
  for (int again = 0; again < 2; ++again) {
    const auto made = slugs.directory(slug).value();
    EXPECT_EQ(inode(made / "plain"), inode(made / "bin/web"));
    EXPECT_EQ(access((made / "program").c_str(), X_OK), 0);
    EXPECT_EQ(fs::status(made / "plain").permissions(), fs::perms(0644));
    EXPECT_EQ(fs::status(made / "private").permissions(), fs::perms(0700));
    EXPECT_EQ(fs::last_write_time(made / "old.py"), at(1000));
    EXPECT_EQ(fs::last_write_time(made / "new.py"), at(2000));
    lose_directory(slug);
  }
}

TEST_F(SlugsTest, DoesNotKeepFilesThatCanBeChangedThroughALinkFromElsewhere) {
  const auto app = build("hello");
  fs::create_hard_link(app / "bin/web", scratch.path / "cache");
  const auto slug = slugs.create(wanted(sushi), app).value();
  write_file(scratch.path / "cache", "changed");
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
}

TEST_F(SlugsTest, KeepsWhateverNamesAndLinksABuildMade) {
  const auto app = build("hello");
  const std::string odd = "tab\tline\nper%cent\xff ";
  write_file(app / odd / odd, "odd");
  fs::create_symlink("/usr/bin/python3", app / "absolute");
  fs::create_symlink("../../etc/passwd", app / odd / "out");
  fs::create_directory(app / "empty");
  fs::create_hard_link(app / "bin/web", app / "bin/same");
  const auto slug = slugs.create(wanted(sushi), app).value();
  lose_directory(slug);
  const auto made = slugs.directory(slug).value();
  EXPECT_EQ(content(made / odd / odd), "odd");
  EXPECT_EQ(fs::read_symlink(made / "absolute"), "/usr/bin/python3");
  EXPECT_EQ(fs::read_symlink(made / odd / "out"), "../../etc/passwd");
  EXPECT_TRUE(fs::is_directory(made / "empty"));
  EXPECT_EQ(content(made / "bin/same"), "hello");
}

// A restore leaves objects as they are in a backup: bytes, by their names.
TEST_F(SlugsTest, GivesModeTimeAndOwnerBackToWhatWasRestored) {
  const auto text = long_text("hello");
  const fs::file_time_type time(std::chrono::seconds(1000));
  const auto app = [&] {
    const auto made = build(text);
    write_file(made / "a.py", text);
    fs::last_write_time(made / "a.py", time);
    return made;
  };
  const auto slug = slugs.create(wanted(sushi), app()).value();
  for (int again = 0; again < 2; ++again) {
    lose_directory(slug);
    for (const auto& name : names_in("slugs/objects")) {
      const auto object = scratch.path / "slugs/objects" / name;
      fs::last_write_time(object, fs::file_time_type::clock::now());
      ASSERT_EQ(chmod(object.c_str(), 0600), 0);
      ASSERT_TRUE(geteuid() != 0 || chown(object.c_str(), 0, 0) == 0);
    }
    // By whoever comes first: a dyno that starts, or a build that has the same files.
    if (again == 1) {
      ASSERT_EQ(slugs.create(wanted(sushi), app()).value().checksum, slug.checksum);
    }
    const auto made = slugs.directory(slug).value();
    for (const auto* name : {"a.py", "bin/web"}) {
      const auto status = status_of(made / name);
      EXPECT_EQ(status.st_mode & 07777, 0644u) << name;
      EXPECT_EQ(status.st_uid, geteuid() == 0 ? 1000u : geteuid()) << name;
    }
    EXPECT_EQ(fs::last_write_time(made / "a.py"), time);
  }
}

// Who runs from a file sees its link count, and could try guesses at what other apps have.
TEST_F(SlugsTest, DoesNotTellAnAppWhatSmallFilesOthersHave) {
  const auto mine = slugs.create(wanted(sushi), build("PIN=1234")).value();
  const auto app = build("PIN=1234");
  write_file(app / "other", "x");
  const auto theirs = slugs.create(wanted(maki), app).value();
  for (int again = 0; again < 2; ++again) {
    for (const auto& slug : {mine, theirs}) {
      const auto file = slugs.directory(slug).value() / "bin/web";
      EXPECT_EQ(status_of(file).st_nlink, 1u);
      EXPECT_EQ(content(file), "PIN=1234");
      EXPECT_EQ(fs::status(file).permissions(), fs::perms(0644));
    }
    lose_directory(mine);
    lose_directory(theirs);
  }
  EXPECT_EQ(names_in("slugs/objects").count(file_object("PIN=1234")), 1u);
}

TEST_F(SlugsTest, SharesTheBytesOfAFileAndNothingElseOfIt) {
  const auto text = long_text("shared");
  const auto app = build(text);
  if (setxattr((app / "bin/web").c_str(), "user.note", "mine", 4, 0) != 0) GTEST_SKIP();
  const auto to_come = fs::file_time_type::clock::now() + std::chrono::hours(24 * 365);
  fs::last_write_time(app / "bin/web", to_come);
  const auto slug = slugs.create(wanted(sushi), app).value();
  const auto object = scratch.path / "slugs/objects" / file_object(text);
  EXPECT_EQ(listxattr(object.c_str(), nullptr, 0), 0);
  EXPECT_LE(fs::last_write_time(object), fs::file_time_type::clock::now());
  EXPECT_EQ(listxattr((slugs.directory(slug).value() / "bin/web").c_str(), nullptr, 0), 0);
}

TEST_F(SlugsTest, RefusesASlugThatIsTooLargeAndKeepsNothingOfIt) {
  Slugs small(database, clock, scratch.path / "small", {.bytes = 2 << 20, .entries = 5});
  const auto shared = small.create(wanted(sushi), build(long_text("hello"))).value();
  const auto app = build(long_text("hello"));
  write_file(app / "a", long_text("new"));
  write_file(app / "large", std::string(3 << 20, ' '));
  const auto refused = small.create(wanted(sushi), app);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::too_large);
  EXPECT_THAT(refused.error().message, HasSubstr("is too large (max is 2M)"));

  const auto many = build(long_text("hello"));
  for (const auto* name : {"1", "2", "3", "4"}) write_file(many / name, long_text(name));
  const auto too_many = small.create(wanted(sushi), many);
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().kind, Kind::too_large);
  EXPECT_THAT(too_many.error().message, HasSubstr("more than 5 files"));

  EXPECT_EQ(names_in("small"), (std::set<std::string>{"objects", tree(shared)}));
  EXPECT_EQ(names_in("small/objects").size(), 3u);
  EXPECT_EQ(content(small.directory(shared).value() / "bin/web"), long_text("hello"));
}

TEST_F(SlugsTest, RefusesATreeThatIsTooDeep) {
  auto app = build("hello");
  auto deep = app;
  for (int i = 0; i < 250; ++i) deep /= "d";
  fs::create_directories(deep);
  const auto refused = slugs.create(wanted(sushi), app);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::invalid);
  EXPECT_EQ(directories(), 0u);
}

TEST_F(SlugsTest, MakesTheDirectoryAgainWhenItIsMissing) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  lose_directory(slug);
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
}

TEST_F(SlugsTest, MakesTheDirectoryAgainThatAnotherBootLeft) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  const auto directory = slugs.directory(slug).value();
  write_file(directory.parent_path() / "made", "another boot\n");
  fs::remove(directory / "bin/web");
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
}

TEST_F(SlugsTest, SaysR17ForAFileThatChanged) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  lose_directory(slug);
  write_file(scratch.path / "slugs/objects" / (crypto::sha256("hello") + "-644"), "other");
  for (int again = 0; again < 2; ++again) {
    const auto refused = slugs.directory(slug);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Kind::not_found);
    EXPECT_THAT(refused.error().message, HasSubstr("R17"));
  }
  // Whoever deploys again brings it again.
  const auto again = slugs.create(wanted(sushi), build("hello")).value();
  EXPECT_EQ(again.checksum, slug.checksum);
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");

  lose_directory(slug);
  fs::remove(scratch.path / "slugs/objects" / (tree(slug) + "-tree"));
  EXPECT_FALSE(slugs.available(slug));
  EXPECT_THAT(slugs.directory(slug).error().message, HasSubstr("R17"));
}

TEST_F(SlugsTest, IsExportedAsHerokusArchiveAndComesBackAsTheSame) {
  const auto app = build("hello");
  fs::create_symlink("bin/web", app / "link");
  const auto slug = slugs.create(wanted(sushi), app).value();
  const auto archive = slugs.archive(slug).value();
  EXPECT_TRUE(content(archive).starts_with("\x1f\x8b"));
  const auto other = slugs.create_empty(wanted(maki)).value();
  EXPECT_EQ(slugs.upload(other.id, archive).value().checksum, slug.checksum);
}

TEST_F(SlugsTest, ExportsTheSameBytesEveryTimeAndChecksThem) {
  const auto text = long_text("hello");
  const auto slug = slugs.create(wanted(sushi), build(text)).value();
  const auto archive = slugs.archive(slug).value();
  const auto first = content(archive);
  fs::remove(archive);
  lose_directory(slug);
  EXPECT_EQ(content(slugs.archive(slug).value()), first);

  ASSERT_TRUE(slugs.directory(slug));
  fs::remove(archive);
  write_file(scratch.path / "slugs/objects" / file_object(text), long_text("Hello"));
  const auto refused = slugs.archive(slug);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("R17"));
  EXPECT_FALSE(fs::exists(archive));
}

TEST_F(SlugsTest, TakesAnUploadedArchive) {
  const auto slug = slugs.create_empty(wanted(sushi)).value();
  EXPECT_FALSE(slugs.available(slug));
  EXPECT_FALSE(slugs.directory(slug));

  const auto upload = scratch.path / "upload";
  write_tar(upload, {directory("./app"), file("./app/run", "go", 0755)});
  const auto filled = slugs.upload(slug.id, upload).value();
  EXPECT_TRUE(filled.checksum.starts_with("SHA256:"));
  EXPECT_EQ(content(slugs.directory(filled).value() / "run"), "go");
  EXPECT_EQ(slugs.upload(slug.id, upload).error().kind, Kind::conflict);
}

TEST_F(SlugsTest, RefusesUploadsThatAreNoSlug) {
  const auto slug = slugs.create_empty(wanted(sushi)).value();
  const auto upload = scratch.path / "upload";
  write_file(upload, "no archive");
  EXPECT_EQ(slugs.upload(slug.id, upload).error().kind, Kind::invalid);
  write_tar(upload, {file("./run", "go")});
  EXPECT_THAT(slugs.upload(slug.id, upload).error().message, HasSubstr("./app"));
  write_tar(upload, {symlink("app", "/etc")});
  EXPECT_THAT(slugs.upload(slug.id, upload).error().message, HasSubstr("./app"));
  write_tar(upload, {file("../evil")});
  EXPECT_THAT(slugs.upload(slug.id, upload).error().message, HasSubstr("../evil"));
  EXPECT_EQ(slugs.find(slug.id), slug);
  EXPECT_EQ(directories(), 0u);
}

TEST_F(SlugsTest, CollectsWhatNobodyNeeds) {
  const auto kept = slugs.create(wanted(sushi), build("kept")).value();
  const auto shared = slugs.create(wanted(maki), build("shared")).value();
  const auto gone = slugs.create(wanted(maki), build("gone")).value();
  crypto::SecretBox box;
  Releases releases(database, clock, apps, slugs, box);
  releases.append(sushi.id,
                  {.description = "Promote maki", .user = ada.id, .slug = shared.id, .config = {}});
  write_file(scratch.path / "slugs/.new-left/over", "x");
  ASSERT_TRUE(apps.destroy(maki.id));

  slugs.collect_garbage();
  EXPECT_TRUE(slugs.available(kept));
  EXPECT_TRUE(slugs.available(shared));
  EXPECT_FALSE(slugs.find(gone.id));
  EXPECT_EQ(directories(), 2u);
  EXPECT_EQ(objects(), 6u);
}

TEST_F(SlugsTest, LetsGoOfDirectoriesThatNobodyRunsFrom) {
  const auto run = slugs.create(wanted(sushi), build("run")).value();
  const auto asked = slugs.create(wanted(sushi), build("asked")).value();
  const auto idle = slugs.create(wanted(sushi), build("idle")).value();
  const auto current = slugs.create(wanted(sushi), build("current")).value();
  crypto::SecretBox box;
  Releases releases(database, clock, apps, slugs, box);
  releases.append(sushi.id,
                  {.description = "Deploy", .user = ada.id, .slug = current.id, .config = {}});
  for (const auto& slug : {run, asked, idle, current}) is_long_unused(slug);
  ASSERT_TRUE(slugs.directory(asked));
  slugs.set_in_use([&] { return std::vector{run.id}; });
  slugs.drop_unused_directories();
  EXPECT_EQ(names_in("slugs"),
            (std::set<std::string>{"objects", tree(run), tree(asked), tree(current)}));
  EXPECT_EQ(content(slugs.directory(idle).value() / "bin/web"), "idle");
}

TEST_F(SlugsTest, KeepsTheNewestReleasesOfAnApp) {
  const auto old = slugs.create(wanted(sushi), build("old")).value();
  const auto current = slugs.create(wanted(sushi), build("current")).value();
  crypto::SecretBox box;
  Releases releases(database, clock, apps, slugs, box);
  const auto release = [&](const Slug& slug) {
    releases.append(sushi.id,
                    {.description = "Deploy", .user = ada.id, .slug = slug.id, .config = {}});
  };
  release(old);
  for (int i = 0; i < 99; ++i) release(current);
  clock.advance(std::chrono::hours(25));
  slugs.collect_garbage();
  EXPECT_TRUE(slugs.available(old)) << "it is the hundredth";
  release(current);
  slugs.collect_garbage();
  EXPECT_FALSE(slugs.available(old));
  EXPECT_TRUE(slugs.find(old.id)) << "a release still tells of it";
  EXPECT_TRUE(slugs.available(current));
}

TEST_F(SlugsTest, MakesAndCollectsAtTheSameTime) {
  std::vector<fs::path> trees;
  for (int i = 0; i < 12; ++i) trees.push_back(build("content " + std::to_string(i % 4)));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 4; ++i) {
        const auto slug =
            slugs.create(wanted(sushi), trees[static_cast<std::size_t>(t * 4 + i)]).value();
        slugs.collect_garbage();
        EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"),
                  "content " + std::to_string(i));
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(directories(), 4u);
  EXPECT_EQ(objects(), 12u);
}

}  // namespace
}  // namespace renga::releases

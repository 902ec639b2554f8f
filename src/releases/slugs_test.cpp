#include "releases/slugs.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "crypto/digest.h"
#include "releases/testing/house.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class SlugsTest : public House {
 protected:
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& each : fs::directory_iterator(scratch.path / "slugs"))
      names.push_back(each.path().filename().string());
    return names;
  }
};

TEST_F(SlugsTest, KeepsWhatABuildMade) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  const auto archive = slugs.archive(slug).value();
  EXPECT_EQ(slug.checksum, "SHA256:" + crypto::sha256(content(archive)));
  EXPECT_EQ(slug.size, static_cast<std::int64_t>(fs::file_size(archive)));
  EXPECT_EQ(slug.process_types, (ProcessTypes{{"web", "bin/web"}}));
  EXPECT_EQ(slug.commit_description, "Say hello");
  EXPECT_EQ(slugs.find(slug.id), slug);
  EXPECT_TRUE(slugs.available(slug));
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
  EXPECT_EQ(files().size(), 2u);

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
    if (each.path().filename() == "unpacked") continue;
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
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(SlugsTest, DoesNotKeepFilesThatCanBeChangedThroughALinkFromElsewhere) {
  const auto app = build("hello");
  fs::create_hard_link(app / "bin/web", scratch.path / "cache");
  const auto slug = slugs.create(wanted(sushi), app).value();
  write_file(scratch.path / "cache", "changed");
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
}

TEST_F(SlugsTest, RefusesASlugThatIsTooLarge) {
  Slugs small(database, clock, scratch.path / "small", 2 << 20);
  const auto app = build("hello");
  std::string noise(3 << 20, ' ');
  std::uint32_t state = 1;
  for (auto& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  write_file(app / "noise", noise);
  const auto refused = small.create(wanted(sushi), app);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::too_large);
  EXPECT_THAT(refused.error().message, HasSubstr("is too large (max is 2M)"));
  EXPECT_TRUE(fs::is_empty(scratch.path / "small"));
}

TEST_F(SlugsTest, RefusesATreeThatIsTooDeep) {
  auto app = build("hello");
  auto deep = app;
  for (int i = 0; i < 250; ++i) deep /= "d";
  fs::create_directories(deep);
  const auto refused = slugs.create(wanted(sushi), app);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::invalid);
  EXPECT_TRUE(files().empty());
}

TEST_F(SlugsTest, UnpacksAgainWhatIsMissing) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  fs::remove_all(slugs.directory(slug)->parent_path());
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
}

TEST_F(SlugsTest, UnpacksAgainWhatAnotherBootLeftUnlessItWasSynced) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  const auto directory = slugs.directory(slug).value();
  const auto mark = directory.parent_path() / "unpacked";
  write_file(mark, "another boot\n");
  write_file(directory / "bin/web", "");
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");

  slugs.collect_garbage();
  EXPECT_EQ(content(mark), "synced\n");
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
}

TEST_F(SlugsTest, SaysR17ForAnArchiveThatChanged) {
  const auto slug = slugs.create(wanted(sushi), build("hello")).value();
  fs::remove_all(slugs.directory(slug)->parent_path());
  write_file(slugs.archive(slug).value(), "other bytes");
  const auto refused = slugs.directory(slug);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::not_found);
  EXPECT_THAT(refused.error().message, HasSubstr("R17"));

  fs::remove(slugs.archive(slug).value());
  EXPECT_FALSE(slugs.available(slug));
  EXPECT_THAT(slugs.directory(slug).error().message, HasSubstr("is gone"));
}

TEST_F(SlugsTest, TakesAnUploadedArchive) {
  const auto slug = slugs.create_empty(wanted(sushi)).value();
  EXPECT_FALSE(slugs.available(slug));
  EXPECT_FALSE(slugs.directory(slug));

  const auto upload = scratch.path / "upload";
  write_tar(upload, {directory("./app"), file("./app/run", "go", 0755)});
  const auto filled = slugs.upload(slug.id, upload).value();
  EXPECT_EQ(filled.checksum, "SHA256:" + crypto::sha256(content(upload)));
  EXPECT_EQ(content(slugs.directory(filled).value() / "run"), "go");
  EXPECT_TRUE(slugs.archive(filled)->string().ends_with(".tar.gz"));
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
  EXPECT_TRUE(files().empty());
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
  EXPECT_EQ(files().size(), 4u);
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
  EXPECT_EQ(files().size(), 8u);
}

}  // namespace
}  // namespace renga::releases

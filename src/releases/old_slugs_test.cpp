// Slugs as an older server left them: an archive that the checksum names, and what dynos run from
// unpacked beside it.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "crypto/digest.h"
#include "releases/archive.h"
#include "releases/testing/house.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class OldSlugsTest : public House {
 protected:
  // A slug with this app, in this server's directory.
  Id<Slug> put(const fs::path& app, const fs::path& directory, store::Database& books) {
    const auto archive = scratch.path / "archive";
    const auto sha = pack(app, archive, "app");
    fs::rename(archive, directory / (sha + ".tar.zst"));
    fs::create_directories(directory / sha);
    if (!fs::exists(directory / sha / "app")) fs::rename(app, directory / sha / "app");
    write_file(directory / sha / "unpacked", "synced\n");
    const auto id = Id<Slug>::create();
    books.run(
        "INSERT INTO slugs (id, app, checksum, size, stack, \"commit\", commit_description, "
        "buildpack_provided_description, process_types, created_at, updated_at) "
        "VALUES (?, ?, ?, 99, 'host', '', '', '', '{}', ?, ?)",
        id, sushi.id, sha, clock.now(), clock.now());
    return id;
  }
  Slug old_slug(const std::string& content) {
    return slugs.find(put(build(content), scratch.path / "slugs", database)).value();
  }
  fs::path archive_of(const Slug& slug) {
    return scratch.path / "slugs" / (slug.checksum.substr(7) + ".tar.zst");
  }
  fs::path unpacked(const Slug& slug) {
    return scratch.path / "slugs" / slug.checksum.substr(7) / "app/bin/web";
  }
  std::size_t objects() {
    const fs::directory_iterator all(scratch.path / "slugs/objects");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
};

TEST_F(OldSlugsTest, AreThereAndBecomeTreesWhenTheyAreNeeded) {
  const auto slug = old_slug("hello"), same = old_slug("hello"), other = old_slug("other");
  slugs.collect_garbage();
  EXPECT_TRUE(slugs.available(slug));
  EXPECT_EQ(objects(), 0u);
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
  EXPECT_EQ(slugs.find(slug.id), slug) << "its checksum and size are what they were";

  slugs.collect_garbage();
  EXPECT_TRUE(fs::exists(archive_of(slug))) << "a backup that is under way may need it";
  fs::last_write_time(archive_of(slug), fs::file_time_type::clock::now() - std::chrono::hours(25));
  slugs.collect_garbage();
  EXPECT_FALSE(fs::exists(archive_of(slug)));
  EXPECT_TRUE(fs::exists(archive_of(other)));
  EXPECT_EQ(content(slugs.directory(same).value() / "bin/web"), "hello");
  EXPECT_TRUE(slugs.available(same));
  EXPECT_EQ(content(slugs.directory(other).value() / "bin/web"), "other");
  // What is built anew from the same source shares it.
  const auto built = slugs.create(wanted(sushi), build("hello")).value();
  EXPECT_EQ(slugs.directory(built), slugs.directory(slug));
}

TEST_F(OldSlugsTest, KeepWhatDynosRunFromUntilTheyAreGone) {
  const auto slug = old_slug("hello");
  fs::last_write_time(unpacked(slug).parent_path().parent_path().parent_path() / "unpacked",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  bool runs = true;
  slugs.set_in_use([&] { return runs ? std::vector{slug.id} : std::vector<Id<Slug>>(); });
  ASSERT_TRUE(slugs.directory(slug));
  slugs.collect_garbage();
  EXPECT_EQ(content(unpacked(slug)), "hello");
  runs = false;
  slugs.collect_garbage();
  EXPECT_FALSE(fs::exists(unpacked(slug)));
  EXPECT_EQ(content(slugs.directory(slug).value() / "bin/web"), "hello");
}

TEST_F(OldSlugsTest, AreExported) {
  const auto slug = old_slug("hello");
  const auto other = slugs.create_empty(wanted(maki)).value();
  const auto back = slugs.upload(other.id, slugs.archive(slug).value()).value();
  EXPECT_EQ(content(slugs.directory(back).value() / "bin/web"), "hello");
}

TEST_F(OldSlugsTest, AreR17WhenTheirArchiveIsNotWhatItWas) {
  const auto slug = old_slug("hello");
  write_file(archive_of(slug), "other bytes");
  const auto refused = slugs.directory(slug);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::not_found);
  EXPECT_THAT(refused.error().message, HasSubstr("R17"));
  EXPECT_EQ(objects(), 0u);
  fs::remove(archive_of(slug));
  EXPECT_FALSE(slugs.available(slug));
  EXPECT_THAT(slugs.directory(slug).error().message, HasSubstr("is gone"));
}

// Control is killed as it turns a slug into a tree, ever later, until it gets through.
TEST_F(OldSlugsTest, AreNotLostByAKillInTheMiddle) {
  const auto home = scratch.path / "data";
  fs::create_directories(home / "slugs");
  const auto store = (home / "renga.db").string();
  const auto app = build("hello");
  for (int i = 0; i < 200; ++i)
    write_file(app / "vendor" / std::to_string(i), std::string(2000, 'x') + std::to_string(i));
  Slug slug;
  {
    store::Database books(store);
    books.migrate(accounts::migrations());
    books.migrate(apps::migrations());
    books.migrate(migrations());
    const auto ada_there = accounts::Accounts(books, clock).create("a@b.cd", "A", false).value();
    sushi = apps::Apps(books, clock, {"host"}).create(ada_there, {"sushi", ""}).value();
    slug = Slugs(books, clock, home / "slugs").find(put(app, home / "slugs", books)).value();
  }
  const auto kept = [&] {
    const fs::directory_iterator all(home / "slugs/objects");
    return std::distance(begin(all), end(all));
  };

  int killed = 0;
  for (int after = 1;; after += 50) {
    const auto child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      store::Database books(store);
      Slugs there(books, clock, home / "slugs");
      there.collect_garbage();
      _exit(there.directory(slug) ? 0 : 1);
    }
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0)
      if (fs::exists(home / "slugs/objects") && kept() >= after) kill(child, SIGKILL);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ++killed;
    store::Database books(store);
    EXPECT_TRUE(Slugs(books, clock, home / "slugs").available(slug)) << after;
  }
  EXPECT_GE(killed, 1);
  store::Database books(store);
  Slugs there(books, clock, home / "slugs");
  there.collect_garbage();
  EXPECT_EQ(kept(), 204) << "files, and three directories";
  const auto made = there.directory(slug).value();
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(content(made / "vendor" / std::to_string(i)),
              std::string(2000, 'x') + std::to_string(i));
}

}  // namespace
}  // namespace renga::releases

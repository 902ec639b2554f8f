// Pushes to one app, one after the other: what is kept of a source between them, and what a build
// can do to it.
#include "builds/kept_source.h"

#include <sys/stat.h>

#include <set>

#include "builds/testing/build_house.h"
#include "os/file.h"

namespace renga::builds {
namespace {

using testing::HasSubstr;

class KeptSourceTest : public BuildHouse {
 protected:
  void SetUp() override {
    BuildHouse::SetUp();
    if (!builds) return;
    fs::create_directories(work);
    git({"init", "-q"});
  }
  std::string git(std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", work.string(), "-c", "user.name=t", "-c",
                                 "user.email=t@example.com"});
    const auto done = os::run({.argv = words});
    EXPECT_EQ(done.status, 0) << done.err;
    return done.out.substr(0, 40);
  }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((work / name).parent_path());
    std::ofstream(work / name) << text;
  }
  // Long enough to be linked and not copied.
  static std::string long_text(const std::string& text) { return text + std::string(4096, '.'); }

  Build push() {
    git({"add", "-A"});
    git({"commit", "-q", "--allow-empty", "-m", "change"});
    return build(git({"rev-parse", "HEAD"}));
  }
  Build build(const std::string& commit) {
    NewBuild wanted;
    wanted.source_directory = work / ".git";
    wanted.version = commit;
    return builds->wait(builds->start(sushi, ada, wanted).value().id);
  }
  // The slug's files, by their names, as they are: content, link or mode of a program.
  std::map<std::string, std::string> slug_of(const Build& build) {
    EXPECT_EQ(build.status, BuildStatus::succeeded) << output(build);
    if (!build.slug) return {};
    return tree(slugs->directory(slugs->find(*build.slug).value()).value());
  }
  static std::map<std::string, std::string> tree(const fs::path& top) {
    std::map<std::string, std::string> all;
    for (const auto& each : fs::recursive_directory_iterator(top)) {
      const auto name = each.path().lexically_relative(top).string();
      if (each.is_symlink())
        all[name] = "-> " + fs::read_symlink(each.path()).string();
      else if (each.is_regular_file())
        all[name] =
            os::read_file(each.path()).value() +
            ((each.status().permissions() & fs::perms::owner_exec) != fs::perms::none ? " (program)"
                                                                                      : "");
      else
        all[name] = "/";
    }
    return all;
  }
  fs::path kept() const { return options.directory / "sources" / sushi.id.value / "tree"; }
  static ino_t inode(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return status.st_ino;
  }

  const fs::path work = fs::temp_directory_path() / ("renga-work-" + random_hex(6));
  void TearDown() override {
    fs::remove_all(work);
    BuildHouse::TearDown();
  }
};

TEST_F(KeptSourceTest, WritesOnlyWhatAPushChanges) {
  write("Procfile", "web: x\n");
  write("lib/same", long_text("same"));
  write("lib/changed", long_text("old"));
  write("gone/deep/file", "x");
  write("becomes-a-link", "x");
  write("becomes-a-directory", "x");
  write("directory/becomes/a-file", "x");
  write("program", "x");
  fs::create_symlink("lib/same", work / "link");
  fs::create_symlink("lib", work / "linked");
  const auto first = slug_of(push());
  EXPECT_EQ(first, tree(kept()));
  const auto same = inode(kept() / "lib/same"), procfile = inode(kept() / "Procfile");

  write("lib/changed", long_text("new"));
  write("lib/added", "added");
  for (const auto* name :
       {"gone", "becomes-a-link", "becomes-a-directory", "directory", "link", "linked"})
    fs::remove_all(work / name);
  fs::create_symlink("lib", work / "becomes-a-link");
  write("becomes-a-directory/with/a file", "y");
  write("directory", "a file");
  write("linked/no-more", "z");
  write("*", "a star");
  fs::permissions(work / "program", fs::perms(0755));
  const auto slug = slug_of(push());
  EXPECT_EQ(inode(kept() / "lib/same"), same);
  EXPECT_EQ(inode(kept() / "Procfile"), procfile);
  fs::rename(work / ".git", work.string() + ".git");
  EXPECT_EQ(slug, tree(work));
  fs::rename(work.string() + ".git", work / ".git");
}

TEST_F(KeptSourceTest, IsTheSameWhateverABuildDoesToIt) {
  write("kept", long_text("kept"));
  write("overwritten", long_text("mine"));
  write("small", "mine");
  write("shut", long_text("shut"));
  write("deleted", long_text("mine"));
  write("emptied/file", long_text("mine"));
  write("emptied/other", "mine");
  write("moved/deep/file", long_text("moved"));
  write("moved/deep/changed", long_text("mine"));
  write("replaced/file", long_text("mine"));
  write("swapped/same/file", long_text("here"));
  write("other/same/file", long_text("there"));
  write("becomes-a-file/file", "mine");
  write("compile.sh", R"(set -e; cd "$1"
printf built > overwritten; printf built >> small; chmod 700 shut; touch -d @1 kept
rm deleted; rm emptied/*; python3 -c 'import os
os.rename("moved", "moved-away"); os.rename("moved-away/deep", "dug-out")
os.rename("swapped", "tmp"); os.rename("other", "swapped"); os.rename("tmp", "other")'
printf built > dug-out/changed; rm -r replaced; mkdir replaced; printf new > replaced/new
rm -r becomes-a-file; printf f > becomes-a-file; ln kept second-name; printf x > added
mkdir -p deep/er; ln -s /etc/passwd deep/er/link
)");
  const auto first = push();
  const std::map<std::string, std::string> wanted = {
      {"added", "x"},
      {"becomes-a-file", "f"},
      {"compile.sh", *os::read_file(work / "compile.sh")},
      {"deep", "/"},
      {"deep/er", "/"},
      {"deep/er/link", "-> /etc/passwd"},
      {"dug-out", "/"},
      {"dug-out/changed", "built"},
      {"dug-out/file", long_text("moved")},
      {"emptied", "/"},
      {"kept", long_text("kept")},
      {"moved-away", "/"},
      {"other", "/"},
      {"other/same", "/"},
      {"other/same/file", long_text("here")},
      {"overwritten", "built"},
      {"replaced", "/"},
      {"replaced/new", "new"},
      {"second-name", long_text("kept")},
      {"shut", long_text("shut") + " (program)"},
      {"small", "minebuilt"},
      {"swapped", "/"},
      {"swapped/same", "/"},
      {"swapped/same/file", long_text("there")}};
  auto slug = slug_of(first);
  EXPECT_EQ(slug, wanted);

  write("unrelated", "y");
  slug = slug_of(push());
  EXPECT_EQ(slug["unrelated"], "y");
  slug.erase("unrelated");
  EXPECT_EQ(slug, wanted) << "the second build began with what was pushed";
  EXPECT_EQ(slug_of(first)["overwritten"], "built");
  EXPECT_EQ(os::read_file(kept() / "overwritten"), long_text("mine"));
}

TEST_F(KeptSourceTest, IsMadeAnewWhenItMayNotBeWhole) {
  write("Procfile", "web: x\n");
  write("file", long_text("pushed"));
  const auto first = push();
  const auto was = inode(kept() / "file");
  // As when control was killed on the way, or the machine was.
  for (const auto& state : {std::string(), "another-boot " + std::string(40, '0') + " 0"}) {
    std::ofstream(kept().parent_path() / "state") << state;
    fs::remove(kept() / "file");
    write("file", long_text("pushed again" + state));
    EXPECT_EQ(slug_of(push())["file"], long_text("pushed again" + state));
  }
  builds->clear_cache(sushi.id);
  fs::remove(kept() / "file");
  EXPECT_EQ(slug_of(push()).count("file"), 1u);
  EXPECT_NE(inode(kept() / "file"), was);
  builds->forget(sushi.id);
  EXPECT_FALSE(fs::exists(kept().parent_path()));
}

TEST_F(KeptSourceTest, FollowsAttributesAndHistoryThatIsRewritten) {
  write("Procfile", "web: x\n");
  write("text", "a\nb\n");
  push();
  const auto before = git({"rev-parse", "HEAD"});
  write(".gitattributes", "text eol=crlf\n");
  EXPECT_EQ(slug_of(push())["text"], "a\r\nb\r\n") << "though nobody has changed the file";
  write("more", "m");
  EXPECT_EQ(slug_of(push())["text"], "a\r\nb\r\n");
  EXPECT_EQ(slug_of(build(before)),
            (std::map<std::string, std::string>{{"Procfile", "web: x\n"}, {"text", "a\nb\n"}}));
  git({"checkout", "-q", "--orphan", "other"});
  write("text", "others");
  EXPECT_EQ(slug_of(push())["text"], "others");
}

TEST_F(KeptSourceTest, IsNotKeptWhereFilesAreToBeLeftOut) {
  write("Procfile", "web: x\n");
  write(".slugignore", "*.psd\n");
  write("a.psd", "x");
  for (int i = 0; i < 2; ++i) {
    const auto build = push();
    EXPECT_EQ(slug_of(build).count("a.psd"), 0u);
    EXPECT_THAT(output(build), HasSubstr("Deleting 1 files matching .slugignore patterns."));
    EXPECT_FALSE(fs::exists(kept()));
  }
  fs::remove(work / ".slugignore");
  EXPECT_EQ(slug_of(push()).count("a.psd"), 1u);
}

TEST_F(KeptSourceTest, SharesItsFilesWithTheSlug) {
  write("Procfile", "web: x\n");
  write("lib/file", long_text("shared"));
  slug_of(push());
  const auto slug = slugs->find(*push().slug).value();
  EXPECT_EQ(inode(slugs->directory(slug).value() / "lib/file"), inode(kept() / "lib/file"));
  // Made anew, it is a file of its own, until a slug is made of it.
  builds->clear_cache(sushi.id);
  const auto again = slugs->find(*push().slug).value();
  EXPECT_EQ(again.checksum, slug.checksum);
  EXPECT_EQ(inode(slugs->directory(again).value() / "lib/file"), inode(kept() / "lib/file"));
  EXPECT_NE(inode(slugs->directory(again).value() / "Procfile"), inode(kept() / "Procfile"))
      << "a small file's count of links would tell of other apps";
}

}  // namespace
}  // namespace renga::builds

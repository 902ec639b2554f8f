#include "builds/buildpacks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "base/id.h"

namespace renga::builds {
namespace {

namespace fs = std::filesystem;

class BuildpacksTest : public testing::Test {
 protected:
  BuildpacksTest() {
    fs::create_directories(directory);
    fs::create_directories(directory / "ours/ruby/bin");
    std::ofstream(directory / "order.txt") << "# order\npython Python apps\n\nprocfile Others\n";
    std::ofstream(directory / "registry.txt")
        << "heroku-community/apt https://github.com/heroku/heroku-buildpack-apt Debian packages\n";
    buildpacks.emplace(directory, std::vector<fs::path>{directory / "ours"});
  }
  ~BuildpacksTest() override { fs::remove_all(directory); }
  Buildpack found(const std::string& name) {
    const auto is = buildpacks->find(name);
    EXPECT_TRUE(is) << name << (is ? "" : ": " + is.error().message);
    return is.value_or(Buildpack());
  }
  const fs::path directory = fs::temp_directory_path() / ("renga-buildpacks-" + new_uuid());
  std::optional<Buildpacks> buildpacks;
};

using From = Buildpack::From;

TEST_F(BuildpacksTest, AreOfferedInTheOrderOfDetection) {
  const auto offered = buildpacks->offered();
  ASSERT_EQ(offered.size(), 2u);
  EXPECT_EQ(offered[0].name, "heroku/python");
  EXPECT_EQ(offered[1].address, "procfile");
}

TEST_F(BuildpacksTest, AreKnownByEachOfTheirNames) {
  for (const auto* name : {"heroku/python", "urn:buildpack:heroku/python", "python"})
    EXPECT_EQ(found(name), (Buildpack{"heroku/python", From::here, "python", ""})) << name;
}

TEST_F(BuildpacksTest, ComeFromRepositoriesAndArchives) {
  const std::string git = "https://git.example.com/me/mine.git";
  EXPECT_EQ(found(git), (Buildpack{git, From::git, git, ""}));
  EXPECT_EQ(found(git + "#v2"), (Buildpack{git + "#v2", From::git, git, "v2"}));
  EXPECT_EQ(found("me/mine#main"),
            (Buildpack{"me/mine#main", From::git, "https://github.com/me/mine", "main"}));
  EXPECT_EQ(found("heroku-community/apt").address,
            "https://github.com/heroku/heroku-buildpack-apt");
  EXPECT_EQ(found("heroku/heroku-buildpack-apt").from, From::git);
  for (const auto* url : {"https://example.com/b.tgz", "http://example.com/b.tar.gz?x=1"})
    EXPECT_EQ(found(url).from, From::archive) << url;
}

TEST_F(BuildpacksTest, OfTheOperatorAreNamedByTheirPath) {
  const auto ruby = (directory / "ours/ruby").string();
  EXPECT_EQ(found(ruby), (Buildpack{ruby, From::local, ruby, ""}));
  EXPECT_EQ(found("file://" + ruby + "#v1"),
            (Buildpack{"file://" + ruby + "#v1", From::local, ruby, "v1"}));
  fs::create_directory_symlink("/usr", directory / "ours/way-out");
  for (const auto& path : {std::string("/etc"), directory.string(), ruby + "/../../..",
                           (directory / "ours/way-out").string(), directory.string() + "/none"}) {
    const auto refused = buildpacks->find(path);
    ASSERT_FALSE(refused) << path;
    EXPECT_EQ(refused.error().kind, Kind::forbidden);
  }
}

TEST_F(BuildpacksTest, ShowNoPassword) {
  const auto secret = found("https://me:hush@example.com/b.git#v@2");
  EXPECT_EQ(secret.shown(), "https://example.com/b.git#v@2");
  EXPECT_EQ(secret.address, "https://me:hush@example.com/b.git");
  EXPECT_EQ(found("python").shown(), "heroku/python");
}

TEST_F(BuildpacksTest, SayWhichThereAre) {
  const auto unknown = buildpacks->find("heroku/cobol");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message,
            "There is no buildpack heroku/cobol on this server. Offered are: heroku/python, "
            "heroku/procfile, heroku-community/apt; and any other by the https:// URL of its git "
            "repository or .tgz file.");
  for (const auto* name : {"cobol", "a/b/c", "ssh://host/x", "git@github.com:me/mine.git",
                           "https://", "https:///x", "https://host/x#--upload-pack=x", "-x/y",
                           "https://host/a b", "https://host/a\tb", "ext::sh -c x", ""})
    EXPECT_FALSE(buildpacks->find(name)) << name;
}

TEST_F(BuildpacksTest, AreListedByTheApp) {
  EXPECT_EQ(dot_buildpacks("# mine\n\n  python \r\nhttps://example.com/b.git#v2\n"),
            (std::vector<std::string>{"python", "https://example.com/b.git#v2"}));
}

TEST(BuildpackRelease, HasDefaultProcessTypes) {
  EXPECT_EQ(default_process_types("---\naddons: [x]\ndefault_process_types:\n  web: npm start\n"),
            (releases::ProcessTypes{{"web", "npm start"}}));
  for (const auto* nothing : {"", "--- {}", "---\n", "addons: []", "default_process_types:"})
    EXPECT_EQ(default_process_types(nothing), releases::ProcessTypes{}) << nothing;
}

TEST(BuildpackRelease, IsRefusedWhenItIsSomethingElse) {
  for (const auto* wrong :
       {"[1, 2]", "a: b: c", "default_process_types: [web]", "default_process_types: {'we b': x}",
        "default_process_types: {web: [x]}", "{"})
    EXPECT_FALSE(default_process_types(wrong)) << wrong;
}

}  // namespace
}  // namespace renga::builds

#include "builds/buildpacks.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/id.h"

namespace renga::builds {
namespace {

namespace fs = std::filesystem;

class BuildpacksTest : public testing::Test {
 protected:
  BuildpacksTest() {
    fs::create_directories(directory);
    std::ofstream(directory / "order.txt") << "python\n\nprocfile\n";
  }
  ~BuildpacksTest() override { fs::remove_all(directory); }
  const fs::path directory = fs::temp_directory_path() / ("renga-buildpacks-" + new_uuid());
  const Buildpacks buildpacks{directory};
};

TEST_F(BuildpacksTest, AreOfferedInTheOrderOfDetection) {
  const auto offered = buildpacks.offered();
  ASSERT_EQ(offered.size(), 2u);
  EXPECT_EQ(offered[0].name, "heroku/python");
  EXPECT_EQ(offered[1].directory, "procfile");
}

TEST_F(BuildpacksTest, AreKnownByEachOfTheirNames) {
  for (const auto* name : {"heroku/python", "urn:buildpack:heroku/python", "python"})
    EXPECT_EQ(buildpacks.find(name)->directory, "python") << name;
}

TEST_F(BuildpacksTest, SayWhichThereAre) {
  const auto unknown = buildpacks.find("heroku/cobol");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message,
            "There is no buildpack heroku/cobol on this server. Offered are: heroku/python, "
            "heroku/procfile.");
  const auto url = buildpacks.find("https://github.com/someone/buildpack");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().kind, Kind::unsupported);
  EXPECT_FALSE(buildpacks.find("../python"));
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

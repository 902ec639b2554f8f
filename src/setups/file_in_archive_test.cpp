#include <gtest/gtest.h>

#include "releases/testing/tarball.h"
#include "setups/app_setups.h"

namespace renga::setups {
namespace {

using releases::directory;
using releases::file;

class FileInArchiveTest : public testing::Test {
 protected:
  std::optional<std::string> app_json_of(std::vector<releases::Member> members) {
    const auto archive = scratch.path / "source.tar.gz";
    releases::write_tar(archive, std::move(members));
    return file_in_archive(archive, "app.json", 100);
  }
  releases::Scratch scratch;
};

TEST_F(FileInArchiveTest, IsAtTheRoot) {
  EXPECT_EQ(app_json_of({directory("./"), file("./app.json", "{}")}), "{}");
  EXPECT_EQ(app_json_of({file("lib/app.json", "no"), file("app.json", "{}")}), "{}");
}

TEST_F(FileInArchiveTest, IsInTheOneDirectoryOfAForgesArchive) {
  EXPECT_EQ(app_json_of({directory("hello-main/"), file("hello-main/app.json", "{}"),
                         file("hello-main/lib/a", "x")}),
            "{}");
  EXPECT_EQ(app_json_of({file("hello-main/app.json", "{}"), file("README", "x")}), std::nullopt);
  EXPECT_EQ(app_json_of({file("one/app.json", "{}"), file("two/a", "x")}), std::nullopt);
  EXPECT_EQ(app_json_of({file("one/deeper/app.json", "{}")}), std::nullopt);
}

}  // namespace
}  // namespace renga::setups

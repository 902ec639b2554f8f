#include "builds/build_output.h"

#include <gtest/gtest.h>

namespace renga::builds {
namespace {

using Lines = std::vector<std::string>;

TEST(BuildOutput, WritesSizesAsPeopleReadThem) {
  EXPECT_EQ(readable_size(0), "0.0K");
  EXPECT_EQ(readable_size(12'600), "12.3K");
  EXPECT_EQ(readable_size((1 << 20) - 1), "1.0M");
  EXPECT_EQ(readable_size(63'648'563), "60.7M");
}

TEST(BuildOutput, ShortensCommitsOnly) {
  EXPECT_EQ(deploy_description("e6442b7ce6442b7ce6442b7ce6442b7ce6442b7c"), "Deploy e6442b7c");
  EXPECT_EQ(deploy_description("2026-01-05 nightly"), "Deploy 2026-01-05 nightly");
  EXPECT_EQ(deploy_description(""), "Deploy");
}

TEST(BuildOutput, ListsProcessTypes) {
  EXPECT_EQ(process_type_lines({{"web", "x"}, {"worker", "y"}}, {}, true),
            Lines{"       Procfile declares types -> web, worker"});
  EXPECT_EQ(process_type_lines({{"web", "x"}}, {"console", "rake"}, true),
            (Lines{"       Procfile declares types     -> web",
                   "       Default types for buildpack -> console, rake"}));
  EXPECT_EQ(process_type_lines({}, {"web"}, false),
            (Lines{"       Procfile declares types     -> (none)",
                   "       Default types for buildpack -> web"}));
}

}  // namespace
}  // namespace renga::builds

#include "dynos/sizes.h"

#include <gtest/gtest.h>

#include "base/id.h"

namespace renga::dynos {
namespace {

TEST(Sizes, AreFoundWhateverTheCase) {
  const auto& usual = Sizes::usual();
  ASSERT_TRUE(usual.find("standard-1x"));
  EXPECT_EQ(usual.find("STANDARD-2X")->limits().memory_bytes, 1LL << 30);
  EXPECT_EQ(usual.find(usual.standard().id)->name, "Standard-1X");
  EXPECT_EQ(usual.find("performance-2xl")->limits().cpu_weight, 10'000);
  EXPECT_FALSE(usual.find("dyno"));
}

TEST(Sizes, MayBeAnOperatorsOwn) {
  const auto sizes = Sizes::parse(
      "# what this machine has room for\n"
      "\n"
      "standard-1X  384MB  1  128\n"
      "Huge         2.5GB  8  4096   # for reports\n");
  ASSERT_TRUE(sizes) << sizes.error().message;
  ASSERT_EQ(sizes->all().size(), 2U);
  EXPECT_EQ(sizes->find("huge")->limits().memory_bytes, 2560LL << 20);
  EXPECT_EQ(sizes->find("huge")->limits().cpu_weight, 800);
  EXPECT_EQ(sizes->find("huge")->limits().pids, 4096);
  EXPECT_TRUE(is_uuid(sizes->find("huge")->id));
  EXPECT_EQ(Sizes::parse("HUGE 1GB 1 64")->all()[0].id, sizes->find("huge")->id);
  EXPECT_EQ(sizes->find("standard-1x")->id, Sizes::usual().standard().id);
  EXPECT_EQ(&sizes->standard(), sizes->find("Standard-1X"));
  EXPECT_EQ(&sizes->of("Eco"), &sizes->standard()) << "one that is not there any more";
}

TEST(Sizes, ThatCannotBeAreRefusedWithTheirLine) {
  for (const auto* wrong :
       {"Small 256MB 1", "Small 256 1 64", "Small 256MB 1 64 9", "Small 1MB 1 64",
        "Small -1GB 1 64", "Small 1.GB2 1 64", "Small 1GB 0 64", "Small 1GB x 64", "Small 1GB 1 1",
        "../x 1GB 1 64", "S 999999999999GB 1 64", "A 1GB 1 64\na 2GB 1 64", "A 1.99999GB 1 64"}) {
    const auto refused = Sizes::parse("# sizes\n" + std::string(wrong));
    ASSERT_FALSE(refused) << wrong;
    EXPECT_NE(refused.error().message.find("Line "), std::string::npos) << refused.error().message;
  }
  EXPECT_FALSE(Sizes::parse("# nothing\n"));
  std::string many;
  for (int i = 0; i < 51; ++i) many += "S" + std::to_string(i) + " 1GB 1 64\n";
  EXPECT_FALSE(Sizes::parse(many));
}

}  // namespace
}  // namespace renga::dynos

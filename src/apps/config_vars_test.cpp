#include "apps/config_vars.h"

#include <gtest/gtest.h>

namespace renga::apps {
namespace {

std::string refusal(const std::string& name, const std::string& value = "x") {
  const auto refused = apply({}, {{name, value}});
  EXPECT_FALSE(refused) << name;
  if (refused) return "";
  EXPECT_EQ(refused.error().kind, Kind::invalid);
  return refused.error().message;
}

TEST(ConfigVarsTest, MergesChangesAndTakesNullsAway) {
  const auto vars = apply({{"A", "1"}, {"B", "2"}, {"C", "3"}},
                          {{"A", "one"}, {"B", std::nullopt}, {"D", ""}, {"E", std::nullopt}});
  EXPECT_EQ(vars, (ConfigVars{{"A", "one"}, {"C", "3"}, {"D", ""}}));
}

TEST(ConfigVarsTest, TakesEveryNameThatAShellCanHold) {
  for (const auto* name : {"A", "a", "_", "__X", "DATABASE_URL", "A1", "HEROKU_OWN"})
    EXPECT_TRUE(apply({}, {{name, "line one\nline two = \xc3\xa4"}})) << name;
}

TEST(ConfigVarsTest, SaysWhichNameItRefusesAndWhy) {
  EXPECT_EQ(
      refusal("MY-VAR"),
      "The config var name 'MY-VAR' has a hyphen in it, which no shell can read. Use letters, "
      "digits and underscores, and no digit first.");
  EXPECT_TRUE(refusal("").contains("empty name"));
  EXPECT_TRUE(refusal("A=B").contains("equals sign"));
  EXPECT_TRUE(refusal(std::string("A\0B", 3)).contains("NUL"));
  EXPECT_TRUE(refusal("1A").contains("starts with a digit"));
  for (const auto* name : {"A B", "A.B", "../A", "\xc3\xa4", "A\n"})
    EXPECT_TRUE(refusal(name).contains("character")) << name;
  EXPECT_LT(refusal(std::string(5000, '-')).size(), 300u);
}

TEST(ConfigVarsTest, RefusesAValueThatNoEnvironmentCanHold) {
  EXPECT_TRUE(refusal("KEY", std::string("a\0b", 3)).contains("'KEY'"));
}

TEST(ConfigVarsTest, HoldsSixtyFourKibibytesAltogether) {
  const ConfigVars vars{{"OLD", "1234567"}};
  EXPECT_TRUE(apply(vars, {{"BIG", std::string(65536 - 10 - 3, 'x')}}));
  const auto refused = apply(vars, {{"BIG", std::string(65536 - 10 - 2, 'x')}});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.contains("65537")) << refused.error().message;
  EXPECT_TRUE(refused.error().message.contains("'BIG'")) << refused.error().message;
  EXPECT_TRUE(apply(vars, {{"BIG", std::string(65536 - 3, 'x')}, {"OLD", std::nullopt}}));
}

}  // namespace
}  // namespace renga::apps

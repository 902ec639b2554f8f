#include "cli/arguments.h"

#include <gmock/gmock.h>

#include "cli/testing/fake_terminal.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ArgumentsTest : public testing::Test {
 protected:
  Result<void> parse(const std::vector<std::string>& words) {
    context = std::make_unique<Context>(terminal, surroundings, transport);
    return parse_arguments(command, words, *context);
  }
  std::string refusal(const std::vector<std::string>& words) {
    const auto parsed = parse(words);
    return parsed ? "" : parsed.error().message;
  }

  Command command{.name = "logs",
                  .usage = "[THING]",
                  .summary = "show things",
                  .help = "",
                  .flags = {app_flag,
                            {"num", 'n', "N", "how many"},
                            {"tail", 't', "", "follow"},
                            {"quiet", 0, "", "say less"}},
                  .run = nullptr};
  FakeTerminal terminal;
  client::Surroundings surroundings;
  TransportMaker transport;
  std::unique_ptr<Context> context;
};

TEST_F(ArgumentsTest, TakesFlagsAnywhere) {
  ASSERT_TRUE(parse({"--app", "sushi", "thing", "--tail"}));
  EXPECT_THAT(context->arguments, ElementsAre("thing"));
  EXPECT_EQ(context->flag("app"), "sushi");
  EXPECT_TRUE(context->has("tail"));
  EXPECT_FALSE(context->has("quiet"));
}

TEST_F(ArgumentsTest, TakesEverySpellingOfAValue) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--num", "5"}, {"--num=5"}, {"-n", "5"}, {"-n5"}, {"-n=5"}}) {
    ASSERT_TRUE(parse(words)) << words.front();
    EXPECT_EQ(context->flag("num"), "5") << words.front();
    EXPECT_THAT(context->arguments, IsEmpty());
  }
}

TEST_F(ArgumentsTest, KeepsWhatFollowsTheFirstEqualsSign) {
  ASSERT_TRUE(parse({"--app=a=b"}));
  EXPECT_EQ(context->flag("app"), "a=b");
  ASSERT_TRUE(parse({"--app="}));
  EXPECT_TRUE(context->has("app"));
  EXPECT_EQ(context->flag("app"), "");
}

TEST_F(ArgumentsTest, LeavesWhatFollowsTwoDashesAlone) {
  ASSERT_TRUE(parse({"-t", "--", "python", "--version", "--"}));
  EXPECT_THAT(context->rest, ElementsAre("python", "--version", "--"));
  EXPECT_THAT(context->arguments, IsEmpty());
}

TEST_F(ArgumentsTest, TakesASingleDashAsAnArgument) {
  ASSERT_TRUE(parse({"-"}));
  EXPECT_THAT(context->arguments, ElementsAre("-"));
}

TEST_F(ArgumentsTest, LetsTheLastOfAFlagWin) {
  ASSERT_TRUE(parse({"-n1", "-n2"}));
  EXPECT_EQ(context->flag("num"), "2");
}

TEST_F(ArgumentsTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal({"--nmu", "5"}),
            "logs has no flag --nmu. Did you mean --num? See `renga help logs`.");
  EXPECT_EQ(refusal({"-x"}), "logs has no flag -x. See `renga help logs`.");
  EXPECT_EQ(refusal({"--"}), "");
  EXPECT_THAT(refusal({"--=5"}), HasSubstr("has no flag --=5"));
}

TEST_F(ArgumentsTest, RefusesAFlagWithoutItsValueAndASwitchWithOne) {
  EXPECT_EQ(refusal({"--num"}), "--num of logs needs a value: N.");
  EXPECT_EQ(refusal({"-n"}), "--num of logs needs a value: N.");
  EXPECT_EQ(refusal({"--tail=yes"}), "--tail of logs takes no value.");
  EXPECT_EQ(refusal({"-tx"}), "--tail of logs takes no value.");
}

TEST_F(ArgumentsTest, RefusesMoreArgumentsThanTheUsageNames) {
  EXPECT_EQ(refusal({"one", "two"}),
            "logs does not know what to do with two. See `renga help logs`.");
  command.usage = "";
  EXPECT_NE(refusal({"one"}), "");
  command.usage = "THING ...";
  EXPECT_EQ(refusal({"one", "two", "three"}), "");
}

TEST_F(ArgumentsTest, KnowsTheFlagsOfEveryCommand) {
  ASSERT_TRUE(parse({"--url=http://localhost:1", "-r", "staging", "-h"}));
  EXPECT_EQ(context->flag("url"), "http://localhost:1");
  EXPECT_EQ(context->flag("remote"), "staging");
  EXPECT_TRUE(context->has("help"));
}

}  // namespace
}  // namespace renga::cli

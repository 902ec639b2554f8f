#include "dynos/engines/local/boot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace renga::dynos {
namespace {

class BootTest : public testing::Test {
 protected:
  BootTest() {
    record.dyno.type = "web";
    record.dyno.number = 2;
    record.dyno.id = {"the-id"};
    record.port = 12345;
  }
  std::string shown(const std::string& command) {
    record.dyno.command = command;
    return shown_command(record);
  }
  Record record;
};

constexpr std::int64_t quota = 512LL << 20;

TEST_F(BootTest, TheLogShowsThePortAndNoOtherVariable) {
  EXPECT_EQ(shown("serve --port $PORT --key $SECRET"), "serve --port 12345 --key $SECRET");
  EXPECT_EQ(shown("serve -b :${PORT}/ $PORTS $PORT"), "serve -b :12345/ $PORTS 12345");
}

TEST_F(BootTest, OnlyWebDynosHaveAPort) {
  EXPECT_EQ(boot_environment(record, quota, {{"PORT", "1"}}, {}).at("PORT"), "12345");
  record.dyno.type = "worker";
  EXPECT_FALSE(boot_environment(record, quota, {}, {}).contains("PORT"));
  EXPECT_EQ(shown("work $PORT"), "work $PORT");
}

TEST_F(BootTest, LaterLayersWin) {
  const auto env = boot_environment(record, quota, {{"A", "app"}, {"B", "app"}, {"HOME", "/root"}},
                                    {{"B", "one-off"}, {"DYNO", "mine"}});
  EXPECT_EQ(env.at("A"), "app");
  EXPECT_EQ(env.at("B"), "one-off");
  EXPECT_EQ(env.at("HOME"), "/app");
  EXPECT_EQ(env.at("DYNO"), "web.2");
  EXPECT_EQ(env.at("HEROKU_DYNO_ID"), "the-id");
  EXPECT_EQ(env.at("DYNO_RAM"), "512");
  EXPECT_TRUE(env.contains("PATH"));
  EXPECT_EQ(boot_environment(record, quota, {{"PATH", "/app/bin"}}, {}).at("PATH"), "/app/bin");
}

TEST_F(BootTest, TheCommandIsOneArgumentWhateverIsInIt) {
  EXPECT_EQ(boot_argv("a 'b' \"c\" $(d)").back(), "a 'b' \"c\" $(d)");
}

}  // namespace
}  // namespace renga::dynos

#include "logs/drain_frames.h"

#include <gmock/gmock.h>

#include <random>

#include "logs/line.h"

namespace renga::logs {
namespace {

const Time at = from_micros(1'767'607'200'123'456);
constexpr std::string_view token = "d.01234567-89ab-cdef-0123-456789abcdef";

std::string message(DrainKind kind, const Line& line) {
  std::string text;
  TimeText time;
  append_message(text, kind, token, line, time);
  return text;
}

TEST(DrainFrames, AreHerokus) {
  EXPECT_EQ(
      message(DrainKind::http, {at, "app", "web.1", "hello from our own example"}),
      "83 <190>1 2026-01-05T10:00:00.123456+00:00 host app web.1 - hello from our own example");
  EXPECT_EQ(message(DrainKind::syslog, {at, "heroku", "router", "at=info"}),
            "105 <158>1 2026-01-05T10:00:00.123456+00:00 d.01234567-89ab-cdef-0123-456789abcdef "
            "heroku router - - at=info\n");
  EXPECT_THAT(message(DrainKind::http, {at, "heroku", "web.1", "x"}),
              testing::HasSubstr(" <45>1 "));
  EXPECT_THAT(message(DrainKind::http, {at, "app", "api", "x"}), testing::HasSubstr(" <134>1 "));
  EXPECT_EQ(message(DrainKind::http, overflow_line(at, 500, at)),
            "151 <172>1 2026-01-05T10:00:00.123456+00:00 host heroku logplex - Error L10 (output "
            "buffer overflow): 500 messages dropped since 2026-01-05T10:00:00+00:00.");
}

// Whatever an app writes, a reader that counts gets the same messages back, byte for byte.
TEST(DrainFrames, CarryAnything) {
  std::mt19937 random(7);
  for (const auto kind : {DrainKind::http, DrainKind::syslog}) {
    for (int turn = 0; turn < 200; ++turn) {
      std::string body;
      TimeText time;
      std::vector<std::string> said;
      for (auto left = random() % 20; left > 0; --left) {
        std::string bytes;
        for (auto size = random() % 300; size > 0; --size) bytes += static_cast<char>(random());
        said.push_back(bytes);
        append_message(body, kind, token, {at, "app", "web.1", bytes}, time);
      }
      std::vector<std::string> heard;
      std::string_view rest = body;
      while (!rest.empty()) {
        const auto space = rest.find(' ');
        const auto size = std::stoul(std::string(rest.substr(0, space)));
        ASSERT_LE(space + 1 + size, rest.size());
        auto one = rest.substr(space + 1, size);
        rest.remove_prefix(space + 1 + size);
        const std::string_view before =
            kind == DrainKind::http ? " app web.1 - " : " app web.1 - - ";
        one.remove_prefix(one.find(before) + before.size());
        if (kind == DrainKind::syslog) one.remove_suffix(1);
        heard.emplace_back(one);
      }
      EXPECT_EQ(heard, said);
    }
  }
}

}  // namespace
}  // namespace renga::logs

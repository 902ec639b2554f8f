#include "logs/input_frames.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace renga::logs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string framed(std::string_view message) {
  return fmt::format("{} {}", message.size(), message);
}

std::vector<std::string> read(std::string_view body) {
  std::vector<std::string> shown;
  const auto frames = input_frames(body).value();
  for (const auto& frame : frames)
    shown.push_back(fmt::format("{}/{}/{}", frame.app, frame.process, frame.message));
  return shown;
}

std::string refusal(std::string_view body) {
  const auto frames = input_frames(body);
  return frames ? "taken" : frames.error().message;
}

TEST(InputFrames, AreSyslogMessagesBehindTheirLengths) {
  const std::string head = "<190>1 2013-03-27T20:02:24+00:00 t.1 app procid - ";
  EXPECT_THAT(read(framed(head + "- foo") + framed(head + "- bar baz\n")),
              ElementsAre("app/procid/foo", "app/procid/bar baz\n"));
  EXPECT_THAT(read(framed(head + "- foo") + "\n" + framed(head + "bar") + "\r\n"),
              ElementsAre("app/procid/foo", "app/procid/bar"))
      << "line ends in between, and no structured data";
  EXPECT_THAT(read(framed(head + R"([a b="]\"]"][c] foo)") + framed(head + "[x] y") +
                   framed(head + "[open") + framed(head + "-") + framed(head + "[1]2 z")),
              ElementsAre("app/procid/foo", "app/procid/y", "app/procid/[open", "app/procid/",
                          "app/procid/[1]2 z"));
  EXPECT_THAT(read(""), ElementsAre());
}

TEST(InputFrames, SayWhereTheyAreWrongAndNothingIsUsed) {
  const auto good = framed("<190>1 2013-03-27T20:02:24+00:00 host app procid - - foo");
  EXPECT_THAT(refusal(good + "hello"), HasSubstr(fmt::format("At byte {}:", good.size())));
  EXPECT_THAT(refusal("200 <190>1 short"), HasSubstr("to have 200 bytes, and 12 are left"));
  EXPECT_THAT(refusal("0 "), HasSubstr("number of its bytes"));
  EXPECT_THAT(refusal("-4 <1>1"), HasSubstr("number of its bytes"));
  EXPECT_THAT(refusal("99999999999999999999 x"), HasSubstr("number of its bytes"));
  EXPECT_THAT(refusal(framed("hello you")), HasSubstr("priority"));
  EXPECT_THAT(refusal(framed("<192>1 a b c d - e")), HasSubstr("priority"));
  EXPECT_THAT(refusal(framed("<190>1 time host app")), HasSubstr("a process"));
  std::string many;
  const auto one = framed("<1>1 t h a p - - x");
  for (std::size_t i = 0; i < most_input_frames; ++i) many += one;
  EXPECT_EQ(refusal(many), "taken");
  EXPECT_THAT(refusal(many + one), HasSubstr("more than 10000 messages"));
}

}  // namespace
}  // namespace renga::logs

#include "dynos/exit_marker.h"

#include <gmock/gmock.h>

namespace renga::dynos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string line = "\xEF\xBF\xBF heroku-command-exit-status: 7\r\n";

TEST(ExitMarker, IsOnePieceHoweverItComes) {
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    ExitMarker marker;
    EXPECT_THAT(marker.feed("done\n" + line.substr(0, cut)), ElementsAre("done\n")) << cut;
    EXPECT_TRUE(marker.holds());
    EXPECT_THAT(marker.feed(line.substr(cut) + "bye"), ElementsAre(line, "bye")) << cut;
    EXPECT_FALSE(marker.holds());
  }
}

TEST(ExitMarker, LeavesOtherTextAlone) {
  ExitMarker marker;
  EXPECT_THAT(marker.feed("a\xEF\xBF\xBD ｆull\n"), ElementsAre("a\xEF\xBF\xBD ｆull\n"));
  EXPECT_THAT(marker.feed("\xEF\xBF"), IsEmpty());
  EXPECT_THAT(marker.feed("\xBF heroku-commander\n"),
              ElementsAre("\xEF\xBF\xBF heroku-commander\n"));
  EXPECT_THAT(marker.feed(""), IsEmpty());
}

TEST(ExitMarker, HoldsNoMoreThanALine) {
  ExitMarker marker;
  const auto start = line.substr(0, line.size() - 2);
  EXPECT_THAT(marker.feed(start), IsEmpty());
  EXPECT_EQ(marker.feed(std::string(100, '7')).front(), start + std::string(100, '7'));
  EXPECT_THAT(marker.feed(start), IsEmpty());
  EXPECT_EQ(marker.flush(), start);
  EXPECT_EQ(marker.flush(), "");
}

}  // namespace
}  // namespace renga::dynos

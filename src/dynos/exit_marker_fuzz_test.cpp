// A short run of testing/exit_marker_fuzz.cpp over texts with markers and halves of them.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"

namespace {

using namespace renga::testing;

TEST(ExitMarkerFuzz, PassesEveryByteOn) {
  const std::string marker = "\xEF\xBF\xBF heroku-command-exit-status: ";
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(1, static_cast<char>(random()));
    for (auto parts = random() % 6; parts > 0; --parts) {
      switch (random() % 4) {
        case 0:
          text += marker + std::to_string(random() % 300) + "\n";
          break;
        case 1:
          text += marker.substr(0, random() % marker.size());
          break;
        case 2:
          text += std::string(random() % 90, static_cast<char>(random()));
          break;
        default:
          text +=
              "gr\xc3\xbc\xc3\x9f"
              "e\r\n";
          break;
      }
    }
    fuzz_once(text);
  }
}

}  // namespace

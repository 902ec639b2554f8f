// A short run of testing/frames_fuzz.cpp over mutated frames, the same on every machine.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"
#include "net/frames.h"

namespace {

using namespace renga::testing;

TEST(FramesFuzz, AgreesWithItselfOnMutatedFrames) {
  using renga::net::frame;
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto frames = random() % 4; frames > 0; --frames)
      text += frame("IEWOX?"[random() % 6], std::string(random() % 40, 'x'));
    for (auto edits = random() % 3; edits > 0 && !text.empty(); --edits)
      text[random() % text.size()] = static_cast<char>(random());
    if (random() % 4 == 0)
      text.resize(text.size() - std::min(text.size(), std::size_t{random() % 9}));
    text.insert(0, 1, static_cast<char>(random()));
    fuzz_once(text);
  }
}

}  // namespace

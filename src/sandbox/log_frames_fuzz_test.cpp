// A short run of testing/log_frames_fuzz.cpp over mutated frames, the same on every machine.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"

namespace {

using namespace renga::testing;

TEST(LogFramesFuzz, AgreesWithItselfOnMutatedFrames) {
  const std::string seed = "an-id a-secret\n12 o 5\nhello13 e 0\n14 d 1\n715 o 3\na\nb";
  const std::string alphabet = std::string("0123456789oed \n-x\xff") + '\0';
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    auto text = seed;
    for (auto edits = random() % 4; edits > 0; --edits) {
      const auto at = random() % text.size();
      const auto letter = alphabet[random() % alphabet.size()];
      if (random() % 2 == 0)
        text[at] = letter;
      else
        text.insert(at, 1, letter);
    }
    text.insert(0, 1, static_cast<char>(random()));
    fuzz_once(text);
  }
}

}  // namespace

// A short run of testing/lines_fuzz.cpp over texts of every sort, the same on every machine.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"

namespace {

using namespace renga::testing;

TEST(LinesFuzz, LosesNothingAndCountsRightWhateverADynoSays) {
  using namespace std::string_literals;
  const std::string seeds[] = {
      "2026-01-05T10:00:00.123456+00:00 app[web.1]: hello\n"s,
      "gr\xc3\xbc\xc3\x9f"s + "e \xf0\x9f\x8d\xa3\r\n\xff\xfe\0\x80"s,
      std::string(9'999, 'x') + "\xe2\x82\xac" + std::string(12'000, 'y'),
      "]: [ ]: [\n\n\n<190>1 83 \n"s,
  };
  std::mt19937 random(1);
  for (int round = 0; round < 3'000; ++round) {
    auto text = seeds[random() % std::size(seeds)];
    for (auto edits = random() % 5; edits > 0; --edits) {
      const auto at = random() % text.size();
      if (random() % 2 == 0)
        text[at] = static_cast<char>(random());
      else
        text.insert(at, 1, static_cast<char>(random()));
    }
    fuzz_once(text);
  }
}

}  // namespace

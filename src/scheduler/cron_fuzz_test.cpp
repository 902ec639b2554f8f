// A short run of testing/cron_fuzz.cpp over mutated schedules and files, the same on every machine.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"

namespace {

using namespace renga::testing;

TEST(CronFuzz, TakesNothingThatCannotBeDue) {
  using namespace std::string_literals;
  const std::string seeds[] = {
      "*/10 * * * *",
      "30 8 1,15 jan-mar mon-fri",
      "0 2 29 2 7",
      "daily at 8:30",
      "hourly at 20",
      R"({"cron":[{"command":"a","schedule":"@daily","time_zone":"UTC","overlap":"skip"}],)"
      R"("environments":{"review":{"cron":[]}}})",
  };
  const Mutations mutated{.alphabet = "*/,-0123456789 \t@:{}[]\"ajmn\0\x7f\xc3+"s, .most_edits = 3};
  std::mt19937 random(1);
  for (int round = 0; round < 5'000; ++round) {
    auto text = mutated(seeds[random() % std::size(seeds)], random);
    text.insert(0, 1, static_cast<char>(random() % 256));
    fuzz_once(text);
  }
}

}  // namespace

// A short run of testing/cron_fuzz.cpp over mutated schedules and files, the same on every machine.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

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
  const auto alphabet = "*/,-0123456789 \t@:{}[]\"ajmn\0\x7f\xc3+"s;
  std::mt19937 random(1);
  for (int round = 0; round < 5'000; ++round) {
    auto text = seeds[random() % std::size(seeds)];
    for (auto edits = random() % 4; edits > 0; --edits) {
      const auto at = random() % text.size();
      const auto letter = alphabet[random() % alphabet.size()];
      switch (random() % 4) {
        case 0:
          text[at] = letter;
          break;
        case 1:
          text.insert(at, 1, letter);
          break;
        case 2:
          text.erase(at, 1 + random() % 3);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), 20));
          break;
      }
      if (text.empty()) text = " ";
    }
    text.insert(0, 1, static_cast<char>(random() % 256));
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}

}  // namespace

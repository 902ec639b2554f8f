// A short run of testing/entry_fuzz.cpp over mutated headers and bodies, the same on every machine.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

TEST(EntryFuzz, TakesOrRefusesWhateverComes) {
  const std::string seeds[2][4] = {
      {"name ]my-app..; order=desc, max=10", "version 1..9; max=3",
       "created_at 2026-01-05T10:00:00Z..; order=asc", "name a..z;max=200"},
      {R"({"name": "sushi", "quantity": "+1", "updates": [{"type": "web"}]})",
       R"({"a": {"id": null}, "b": [[[[1.5e3]]]], "c": "\u00e9\ud83d\ude00"})",
       R"({"x": 12345678901234567890, "y": -0.0, "z": true})", R"({"enabled": "yes"})"}};
  using namespace std::string_literals;
  const std::string alphabets[2] = {" ;,=].-+:0129aznvmord%\0\x7f\xc3"s,
                                    "{}[]\":,\\u0019eE+-. tfn\0\n\xed\xa0\xc3"s};
  std::mt19937 random(1);
  for (std::size_t round = 0; round < 20'000; ++round) {
    const auto kind = round % 2;
    const auto& alphabet = alphabets[kind];
    auto text = seeds[kind][random() % 4];
    for (auto edits = random() % 6; edits > 0; --edits) {
      if (text.empty()) text = " ";
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
    }
    text.insert(0, 1, static_cast<char>(kind));
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}

}  // namespace

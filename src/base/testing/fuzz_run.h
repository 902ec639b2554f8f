// The short run of a fuzzer that the tests make: the same inputs on every machine. The long runs
// are fuzz/run's.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

// The room's fuzzer, testing/*_fuzz.cpp, as libFuzzer calls it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace renga::testing {

inline void fuzz_once(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// What is written over, put in, taken out and repeated. `kept` bytes at the front stay as they are.
struct Mutations {
  std::string alphabet;
  unsigned most_edits = 4;
  std::size_t kept = 0;

  std::string operator()(std::string text, std::mt19937& random) const {
    for (auto edits = random() % (most_edits + 1); edits > 0; --edits) {
      if (text.size() == kept) text += ' ';
      const auto at = kept + random() % (text.size() - kept);
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
          text.insert(at, text.substr(kept + random() % (text.size() - kept), 20));
          break;
      }
    }
    return text;
  }
};

}  // namespace renga::testing

// A short run of testing/entry_fuzz.cpp over mutated headers and bodies, the same on every machine.
#include <gtest/gtest.h>

#include "base/testing/fuzz_run.h"

namespace {

using namespace renga::testing;

TEST(EntryFuzz, TakesOrRefusesWhateverComes) {
  const std::string seeds[2][4] = {
      {"name ]my-app..; order=desc, max=10", "version 1..9; max=3",
       "created_at 2026-01-05T10:00:00Z..; order=asc", "name a..z;max=200"},
      {R"({"name": "sushi", "quantity": "+1", "updates": [{"type": "web"}]})",
       R"({"a": {"id": null}, "b": [[[[1.5e3]]]], "c": "\u00e9\ud83d\ude00"})",
       R"({"x": 12345678901234567890, "y": -0.0, "z": true})", R"({"enabled": "yes"})"}};
  using namespace std::string_literals;
  const Mutations mutated[2] = {
      {.alphabet = " ;,=].-+:0129aznvmord%\0\x7f\xc3"s, .most_edits = 5},
      {.alphabet = "{}[]\":,\\u0019eE+-. tfn\0\n\xed\xa0\xc3"s, .most_edits = 5}};
  std::mt19937 random(1);
  for (std::size_t round = 0; round < 20'000; ++round) {
    const auto kind = round % 2;
    auto text = mutated[kind](seeds[kind][random() % 4], random);
    text.insert(0, 1, static_cast<char>(kind));
    fuzz_once(text);
  }
}

}  // namespace

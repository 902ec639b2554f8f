// What a fuzzer feeds: any bytes as the frames of an attached client, whole and in pieces; both
// must give the same frames, and none longer than it may be. frames_fuzz_test.cpp runs it over
// mutations of its own. For libFuzzer: clang++ -std=c++2b -fsanitize=fuzzer,address,undefined
// -Isrc, with this file and net/frames.cpp.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/frames.h"

namespace {

void insist(bool holds) {
  if (!holds) std::abort();
}

struct Heard {
  std::string all;
  bool broken = false;
};

Heard hear(std::string_view input, std::size_t step) {
  renga::net::FrameReader reader;
  Heard heard;
  for (std::size_t at = 0; at < input.size() && !heard.broken; at += step)
    heard.broken = !reader.feed(input.substr(at, step), [&](char type, std::string_view content) {
      insist(content.size() <= renga::net::longest_frame);
      heard.all += renga::net::frame(type, content);
    });
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = hear(input, input.size() + 1);
  const auto pieces = hear(input, 1 + data[0] % 7);
  insist(whole.all == pieces.all && whole.broken == pieces.broken);
  // What was heard is what stood there, from the beginning.
  insist(input.starts_with(whole.all));
  insist(!whole.broken || whole.all.size() < input.size());
  return 0;
}

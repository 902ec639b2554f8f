// What a fuzzer feeds: any bytes on the socket where renga-init sends a dyno's output, whole and in
// pieces; both must say the same, and nothing more once it was no frame. log_frames_fuzz_test.cpp
// runs it over mutations of its own. For libFuzzer: clang++ -std=c++2b
// -fsanitize=fuzzer,address,undefined -Isrc, with this file and sandbox/log_frames.cpp.
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/log_frames.h"

namespace {

using renga::sandbox::LogDecoder;
using renga::sandbox::LogFrame;

void insist(bool holds) {
  if (!holds) std::abort();
}

struct Heard {
  LogDecoder decoder;
  std::vector<LogFrame> frames;
  std::deque<std::string> lines;
};

void hear(Heard& heard, std::string_view input, std::size_t step) {
  for (std::size_t at = 0; at < input.size(); at += step) {
    std::vector<LogFrame> frames;
    // A piece of its own, so that one who reads past its end is caught.
    const std::string piece(input.substr(at, step));
    heard.decoder.feed(piece, frames);
    for (auto& frame : frames) {
      frame.line = heard.lines.emplace_back(frame.line);
      heard.frames.push_back(frame);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  Heard whole, pieces;
  hear(whole, input, input.size() + 1);
  hear(pieces, input, 1 + data[0] % 7);
  insist(whole.decoder.broken() == pieces.decoder.broken());
  insist(whole.decoder.id() == pieces.decoder.id());
  insist(whole.decoder.secret() == pieces.decoder.secret());
  insist(whole.frames == pieces.frames);
  if (whole.decoder.broken()) {
    std::vector<LogFrame> more;
    whole.decoder.feed(input, more);
    insist(more.empty());
  }
  return 0;
}

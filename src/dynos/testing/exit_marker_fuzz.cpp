// What a fuzzer feeds: any bytes as an attached dyno's output, in pieces of any size. Nothing of it
// is lost or added, and little is held back. exit_marker_fuzz_test.cpp runs it over texts of its
// own. For libFuzzer: clang++ -std=c++2b -fsanitize=fuzzer,address,undefined -Isrc, with this file
// and dynos/exit_marker.cpp.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dynos/exit_marker.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t step = 1 + data[0] % 40;
  renga::dynos::ExitMarker marker;
  std::string sent;
  for (std::size_t at = 0; at < input.size(); at += step) {
    for (const auto& piece : marker.feed(input.substr(at, step))) sent += piece;
    const auto fed = std::min(input.size(), at + step);
    if (sent.size() > fed || fed - sent.size() > 64) std::abort();
  }
  sent += marker.flush();
  if (sent != input || marker.holds()) std::abort();
  return 0;
}

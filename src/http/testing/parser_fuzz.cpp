// What a fuzzer feeds: any bytes, through every parser, whole and cut in two; both must agree.
// parser_fuzz_test.cpp runs it over mutations of its own, the preset `fuzz` under libFuzzer.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/chunked.h"
#include "http/octets.h"
#include "http/parser.h"

namespace {

using namespace renga::http;

void insist(bool holds) {
  if (!holds) std::abort();
}

void inside(std::string_view part, std::string_view whole) {
  if (part.empty() || part == "/" || part == "*") return;
  insist(part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

template <class Parser, class Call>
void try_head(std::string_view input, std::size_t cut, Call call) {
  Parser whole, halves;
  const auto expected = call(whole, input);
  const std::string first(input.substr(0, cut));
  auto got = call(halves, first);
  const std::string all(input);
  if (got.state == Parse::need_more) got = call(halves, all);
  insist(got.state == expected.state);
  if (got.state == Parse::refused) {
    insist(status_of(got.flaw) == status_of(expected.flaw));
    return;
  }
  if (got.state != Parse::complete) return;
  insist(whole.head().size == halves.head().size && whole.head().size <= input.size());
  insist(whole.head().fields.size() == halves.head().fields.size());
  for (std::size_t i = 0; i < whole.head().fields.size(); ++i) {
    const auto& field = whole.head().fields[i];
    inside(field.name, input);
    inside(field.value, input);
    insist(is_token(field.name) && field.name == halves.head().fields[i].name);
    insist(field.value == halves.head().fields[i].value);
    insist(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
}

std::string decode(std::string_view input, std::size_t step, bool& refused) {
  ChunkedDecoder decoder;
  std::string payload;
  refused = false;
  for (std::size_t at = 0; at < input.size(); at += step) {
    auto rest = input.substr(at, step);
    while (true) {
      const auto piece = decoder.next(rest);
      using Part = ChunkedDecoder::Part;
      if (piece.part == Part::need_more) break;
      refused = piece.part == Part::refused;
      if (refused || piece.part == Part::end) return payload;
      insist(!piece.bytes.empty() && piece.bytes.data() == rest.data());
      if (piece.part == Part::payload) payload += piece.bytes;
      rest.remove_prefix(piece.bytes.size());
    }
  }
  return payload;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = input.empty() ? 0 : data[0] % input.size();
  try_head<RequestParser>(input, cut,
                          [](auto& parser, std::string_view text) { return parser.parse(text); });
  try_head<ResponseParser>(
      input, cut, [](auto& parser, std::string_view text) { return parser.parse(text, "GET"); });
  for (const auto from : {std::size_t{0}, input.size() / 2, input.size()}) {
    insist(octets::value_end(input, from) == octets::run(input, octets::value, from));
    insist(octets::target_end(input, from) == octets::run(input, octets::target, from));
    insist(octets::token_end(input, from) == octets::run(input, octets::token, from));
  }
  bool whole_refused = false, cut_refused = false;
  const auto whole = decode(input, input.size() + 1, whole_refused);
  const auto pieces = decode(input, cut + 1, cut_refused);
  insist(whole == pieces && whole_refused == cut_refused);
  return 0;
}

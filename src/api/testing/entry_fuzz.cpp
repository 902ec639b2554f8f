// What a fuzzer feeds to the two parsers at the API's entry: any bytes as a Range header, and as
// the body of a request. entry_fuzz_test.cpp runs it over mutations of its own. For libFuzzer:
// clang++ -std=c++2b -fsanitize=fuzzer,address,undefined -Isrc, with this file and the sources it
// names.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "api/body.h"
#include "api/json_text.h"
#include "api/ranges.h"
#include "base/text.h"

namespace {

using namespace renga;
using namespace renga::api;

void insist(bool holds) {
  if (!holds) std::abort();
}

void sentence(const Error& error) {
  insist(error.message.ends_with('.') && text::printable(error.message) == error.message);
}

constexpr Attribute attributes[] = {
    {"name", PlaceKind::text}, {"version", PlaceKind::number}, {"created_at", PlaceKind::time}};

// Whatever was asked for first, following Next-Range ends, and shows nothing twice.
void read_pages(const Range& first) {
  std::vector<Place> places;
  for (int i = 0; i < 25; ++i) {
    if (first.attribute == "name")
      places.push_back({0, std::string(1, "a;b ,=].%z"[i % 10]) + std::string(i / 10, '.')});
    else
      places.push_back({i / 2, {}});
  }
  std::set<std::size_t> seen;
  auto range = first;
  for (std::size_t pages = 0;; ++pages) {
    insist(pages <= places.size());
    const auto page = choose(range, places, attributes);
    for (const auto index : page.chosen) insist(index < places.size() && seen.insert(index).second);
    const auto next = page.headers.find("Next-Range");
    insist(next.has_value() == page.more);
    if (!next) return;
    insist(!page.chosen.empty());
    const auto parsed = parse_range(*next, attributes);
    insist(parsed.has_value() && parsed->attribute == first.attribute &&
           parsed->descending == first.descending && parsed->max == first.max);
    range = *parsed;
  }
}

void try_range(std::string_view input) {
  const auto range = parse_range(input, attributes);
  if (!range) return sentence(range.error());
  insist(range->max >= 1 && range->max <= Range::largest_max);
  insist(std::ranges::find(attributes, range->attribute, &Attribute::name) != std::end(attributes));
  read_pages(*range);
}

void try_body(std::string_view input) {
  const auto body = parse_body(input);
  if (!body) return sentence(body.error());
  // What is written again is valid, and what is read of that is written so for ever. (-0.0 becomes
  // 0 on the way.)
  const auto again = parse_body(json_text(*body));
  insist(again.has_value());
  const auto written = json_text(*again);
  const auto third = parse_body(written);
  insist(third.has_value() && json_text(*third) == written);
  for (const auto& [key, ignored] : *body) {
    const std::string name(key);
    if (const auto text = text_in(*body, name); !text) insist(!text.error().message.empty());
    if (const auto number = number_in(*body, name); !number)
      insist(!number.error().message.empty());
    if (const auto identity = identity_in(*body, name); !identity)
      insist(!identity.error().message.empty());
    (void)flag_in(*body, name);
    (void)array_in(*body, name);
    (void)object_in(*body, name);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0)
    try_range(input);
  else
    try_body(input);
  return 0;
}

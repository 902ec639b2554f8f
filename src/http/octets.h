// Which bytes may stand where in a head: one table, a bit for each question. Private to http/.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace renga::http::octets {

enum : std::uint8_t {
  token = 1,   // RFC 9110 tchar: methods and field names
  value = 2,   // a field's value: visible, blank, tab and obs-text, but no control character
  target = 4,  // a request target: visible ASCII but '#'
  host = 8,    // a host name or an IPv6 address within its brackets
};

constexpr std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  const auto is_alnum = [](unsigned c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  for (unsigned c = 0; c < 256; ++c) {
    unsigned bits = 0;
    if (is_alnum(c)) bits |= token | host;
    if ((c >= 0x20 && c != 0x7f) || c == '\t') bits |= value;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= target;
    table[c] = static_cast<std::uint8_t>(bits);
  }
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    auto& bits = table[static_cast<unsigned char>(c)];
    bits = static_cast<std::uint8_t>(bits | token);
  }
  for (const char c : std::string_view("-._~")) {
    auto& bits = table[static_cast<unsigned char>(c)];
    bits = static_cast<std::uint8_t>(bits | host);
  }
  return table;
}

inline constexpr std::array<std::uint8_t, 256> table = make_table();

inline bool is(char c, std::uint8_t what) {
  return (table[static_cast<unsigned char>(c)] & what) != 0;
}

// How many bytes from the front are all `what`.
inline std::size_t run(std::string_view text, std::uint8_t what, std::size_t n = 0) {
  while (n < text.size() && is(text[n], what)) ++n;
  return n;
}

// The same sixteen bytes at a time, for what is long.
namespace blocks {

// Compared with each other or with a byte, every place of the outcome is all ones or all zeros.
typedef unsigned char Block __attribute__((vector_size(16)));
typedef decltype(Block() == Block()) Verdicts;

struct AreValue {
  Verdicts operator()(Block bytes) const {
    return ((bytes >= 0x20) & (bytes != 0x7f)) | (bytes == '\t');
  }
};
struct AreTarget {
  Verdicts operator()(Block bytes) const {
    return (bytes > 0x20) & (bytes < 0x7f) & (bytes != '#');
  }
};
// Not all that a token may have, but all that nearly every name has.
struct AreName {
  Verdicts operator()(Block bytes) const {
    const Block lower = bytes | 0x20;
    return ((lower >= 'a') & (lower <= 'z')) | (bytes == '-');
  }
};

// A bit of each of the sixteen, the first byte's lowest.
inline std::uint32_t bits_of(Verdicts verdicts) {
#ifdef __SSE2__
  return static_cast<std::uint32_t>(_mm_movemask_epi8(reinterpret_cast<__m128i>(verdicts)));
#else
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < sizeof verdicts; ++i) bits |= (verdicts[i] & 1U) << i;
  return bits;
#endif
}

// Where the first byte from here on is that the verdict is against; the text's size where none is.
template <class Verdict, std::uint8_t what>
[[gnu::always_inline]] inline std::size_t end(std::string_view text, std::size_t from) {
  constexpr auto width = sizeof(Block);
  constexpr auto all = 0xffffU;
  const auto good = [&](std::size_t at) {
    Block block;
    std::memcpy(&block, text.data() + at, sizeof block);
    return bits_of(Verdict()(block));
  };
  for (; from + width <= text.size(); from += width) {
    const auto bits = good(from) ^ all;
    if (bits != 0) return from + static_cast<std::size_t>(std::countr_zero(bits));
  }
  // What is left is less than a block: the text's last, of which the beginning is known already.
  if (text.size() < width) return run(text, what, from);
  const auto last = text.size() - width;
  const auto bits = (good(last) ^ all) >> (from - last);
  return bits == 0 ? text.size() : from + static_cast<std::size_t>(std::countr_zero(bits));
}

}  // namespace blocks

// Where a run of such bytes that begins here ends.
[[gnu::always_inline]] inline std::size_t value_end(std::string_view text, std::size_t from) {
  return blocks::end<blocks::AreValue, value>(text, from);
}
inline std::size_t target_end(std::string_view text, std::size_t from) {
  return blocks::end<blocks::AreTarget, target>(text, from);
}
[[gnu::always_inline]] inline std::size_t token_end(std::string_view text, std::size_t from) {
  const auto end = blocks::end<blocks::AreName, token>(text, from);
  // A name may have other bytes than letters and hyphens; hardly any does.
  return end == text.size() || text[end] == ':' ? end : run(text, token, end);
}

inline bool all(std::string_view text, std::uint8_t what) { return run(text, what) == text.size(); }

}  // namespace renga::http::octets

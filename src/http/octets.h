// Which bytes may stand where in a head: one table, a bit for each question. Private to http/.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

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

// The same sixteen bytes at a time, for what is long; what is left of the text, and a byte that is
// refused, are looked at one by one.
namespace blocks {

// Compared with each other or with a byte, every place of the outcome is all ones or all zeros.
typedef unsigned char Block __attribute__((vector_size(16)));
typedef decltype(Block() == Block()) Verdicts;

inline Verdicts are_value(Block bytes) {
  return ((bytes >= 0x20) & (bytes != 0x7f)) | (bytes == '\t');
}
inline Verdicts are_target(Block bytes) { return (bytes > 0x20) & (bytes < 0x7f) & (bytes != '#'); }
// Not all that a token may have, but all that nearly every name has.
inline Verdicts are_name(Block bytes) {
  const Block lower = bytes | 0x20;
  return ((lower >= 'a') & (lower <= 'z')) | (bytes == '-');
}

// How many come before the first that is not good.
inline std::size_t good_of(Verdicts good) {
  std::uint64_t halves[2];
  std::memcpy(halves, &good, sizeof halves);
  const auto run = [](std::uint64_t half) {
    const auto bits =
        std::endian::native == std::endian::little ? std::countr_one(half) : std::countl_one(half);
    return static_cast<std::size_t>(bits) / 8;
  };
  const auto first = run(halves[0]);
  return first < 8 ? first : 8 + run(halves[1]);
}

template <class Verdict>
inline std::size_t skip(std::string_view text, Verdict verdict) {
  std::size_t n = 0;
  for (Block block; n + sizeof block <= text.size(); n += sizeof block) {
    std::memcpy(&block, text.data() + n, sizeof block);
    const auto good = good_of(verdict(block));
    if (good < sizeof block) return n + good;
  }
  return n;
}

}  // namespace blocks

inline std::size_t value_run(std::string_view text) {
  return run(text, value, blocks::skip(text, blocks::are_value));
}
inline std::size_t target_run(std::string_view text) {
  return run(text, target, blocks::skip(text, blocks::are_target));
}
inline std::size_t token_run(std::string_view text) {
  return run(text, token, blocks::skip(text, blocks::are_name));
}

inline bool all(std::string_view text, std::uint8_t what) { return run(text, what) == text.size(); }

}  // namespace renga::http::octets

// Which bytes may stand where in a head: one table, a bit for each question. Private to http/.
#pragma once

#include <array>
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

// The same eight bytes at a time, for what is long: values and targets. A word is looked at as
// eight numbers of seven bits, to which adding never carries into the next, so every verdict is
// exact; the word that is refused is gone through byte by byte.
namespace words {

constexpr std::uint64_t each(std::uint8_t byte) { return 0x0101'0101'0101'0101U * byte; }
constexpr std::uint64_t top = each(0x80);

// The top bit of every byte that is at least `least`, looking at its lower seven bits.
constexpr std::uint64_t at_least(std::uint64_t word, std::uint8_t least) {
  return (word & ~top) + each(static_cast<std::uint8_t>(0x80 - least));
}
// The top bit is clear in every byte that is `byte`, and set in all others.
constexpr std::uint64_t differs(std::uint64_t word, std::uint8_t byte) {
  const auto difference = word ^ each(byte);
  return at_least(difference, 1) | difference;
}
constexpr bool are_value(std::uint64_t word) {
  const auto good =
      (at_least(word, 0x20) | word | ~differs(word, std::uint8_t{'\t'})) & differs(word, 0x7f);
  return (good & top) == top;
}
constexpr bool are_target(std::uint64_t word) {
  const auto good =
      at_least(word, 0x21) & ~word & differs(word, 0x7f) & differs(word, std::uint8_t{'#'});
  return (good & top) == top;
}

template <class Verdict>
std::size_t skip(std::string_view text, Verdict good) {
  std::size_t n = 0;
  for (std::uint64_t word = 0; n + sizeof word <= text.size(); n += sizeof word) {
    std::memcpy(&word, text.data() + n, sizeof word);
    if (!good(word)) break;
  }
  return n;
}

}  // namespace words

inline std::size_t value_run(std::string_view text) {
  return run(text, value, words::skip(text, words::are_value));
}
inline std::size_t target_run(std::string_view text) {
  return run(text, target, words::skip(text, words::are_target));
}

inline bool all(std::string_view text, std::uint8_t what) { return run(text, what) == text.size(); }

}  // namespace renga::http::octets

// Which bytes may stand where in a head: one table, a bit for each question. Private to http/.
#pragma once

#include <array>
#include <cstdint>
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
inline std::size_t run(std::string_view text, std::uint8_t what) {
  std::size_t n = 0;
  while (n < text.size() && is(text[n], what)) ++n;
  return n;
}

inline bool all(std::string_view text, std::uint8_t what) { return run(text, what) == text.size(); }

}  // namespace renga::http::octets

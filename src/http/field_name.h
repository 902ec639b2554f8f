// Names and other words that are known when this is compiled, looked for without regard to case:
//   named<"content-length">(field.name)
// Every field of every request is asked for several of them. It takes a few instructions a name;
// going through the letters takes ten times as many.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

namespace renga::http {

template <std::size_t room>
struct LowerCase {
  char text[room];

  consteval LowerCase(const char (&literal)[room]) {
    std::copy_n(literal, room, text);
    // Would never be found, so it does not compile.
    if (std::any_of(text, text + room, [](char c) { return c >= 'A' && c <= 'Z'; })) throw text;
  }
  static consteval std::size_t size() { return room - 1; }

  // The bytes from `at`, as the machine reads them.
  template <class Word>
  consteval Word word(std::size_t at) const {
    std::array<char, sizeof(Word)> bytes;
    std::copy_n(text + at, bytes.size(), bytes.begin());
    return std::bit_cast<Word>(bytes);
  }
  // Of those that are letters the bit by which the two cases differ.
  template <class Word>
  consteval Word case_bits(std::size_t at) const {
    std::array<char, sizeof(Word)> bits;
    std::transform(text + at, text + at + bits.size(), bits.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? char{0x20} : char{0}; });
    return std::bit_cast<Word>(bits);
  }
};

template <LowerCase name>
[[gnu::always_inline]] inline bool named(std::string_view sent) {
  constexpr auto size = name.size();
  using Word = std::conditional_t<
      size >= 8, std::uint64_t,
      std::conditional_t<size >= 4, std::uint32_t,
                         std::conditional_t<size >= 2, std::uint16_t, std::uint8_t>>>;
  const auto same_at = [&]<std::size_t at>(std::integral_constant<std::size_t, at>) {
    Word word;
    std::memcpy(&word, sent.data() + at, sizeof word);
    constexpr auto wanted = name.template word<Word>(at);
    constexpr auto either = name.template case_bits<Word>(at);
    return static_cast<Word>((word ^ wanted) & static_cast<Word>(~either)) == 0;
  };
  // Word by word; the last one may have some of the bytes before it.
  const auto same = [&]<std::size_t... i>(std::index_sequence<i...>) {
    return (same_at(std::integral_constant<std::size_t,
                                           std::min(i * sizeof(Word), size - sizeof(Word))>()) &&
            ...);
  };
  return sent.size() == size &&
         same(std::make_index_sequence<(size + sizeof(Word) - 1) / sizeof(Word)>());
}

}  // namespace renga::http

// TextWriter: appends many small pieces to a string. A string asks for room and moves its end with
// every piece; this asks first for the room that all of them should need, and moves the end once,
// when it is destroyed. Pieces must not lie in the string.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace renga::router {

class TextWriter {
 public:
  TextWriter(std::string& out, std::size_t room) : out_(out), used_(out.size()) { grow(room); }
  ~TextWriter() { out_.resize(used_); }
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;

  // Inlined, so that the compiler knows how long the literals are.
  template <class... Pieces>
  [[gnu::always_inline]] void put(Pieces... pieces) {
    const auto size = (std::string_view(pieces).size() + ...);
    if (out_.size() - used_ < size) [[unlikely]]
      grow_late(size + used_);
    (copy(std::string_view(pieces)), ...);
  }
  void number(std::int64_t value) {
    const fmt::format_int digits(value);
    put(std::string_view(digits.data(), digits.size()));
  }

 private:
  // Most pieces are short, and of a length that the compiler knows: copying one is an instruction
  // or two, calling somebody to do it many.
  [[gnu::always_inline]] void copy(std::string_view piece) {
    piece.copy(out_.data() + used_, piece.size());
    used_ += piece.size();
  }
  [[gnu::cold]] void grow_late(std::size_t room) { grow(room); }
  void grow(std::size_t room) {
    // What is there stays; the rest is written before it is read.
    out_.resize_and_overwrite(used_ + room, [](char*, std::size_t size) { return size; });
  }

  std::string& out_;
  std::size_t used_;
};

}  // namespace renga::router

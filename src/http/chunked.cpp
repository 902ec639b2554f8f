#include "http/chunked.h"

#include <algorithm>

#include "http/octets.h"

namespace renga::http {

namespace {

constexpr std::size_t longest_line = 8192;           // of an extension or a trailer field
constexpr std::size_t largest_overhead = 64 * 1024;  // of all of them together
constexpr unsigned most_digits = 16;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::Piece ChunkedDecoder::refuse(std::string_view reason) {
  state_ = State::failed;
  return {Part::refused, {}, reason};
}

ChunkedDecoder::Piece ChunkedDecoder::next(std::string_view input) {
  if (state_ == State::done) return {Part::end, {}, {}};
  if (state_ == State::failed) return refuse("The body was refused before.");
  if (input.empty()) return {};
  switch (state_) {
    case State::size_start:
    case State::size_digits:
    case State::size_lf:
      return size(input);
    case State::extension:
      return extension(input);
    case State::data: {
      const auto length = std::min<std::uint64_t>(left_, input.size());
      left_ -= length;
      if (left_ == 0) state_ = State::data_cr;
      return {Part::payload, input.substr(0, static_cast<std::size_t>(length)), {}};
    }
    case State::data_cr:
    case State::data_lf: {
      std::size_t used = 0;
      if (state_ == State::data_cr) {
        if (input[used++] != '\r') return refuse("A chunk is longer than its size says.");
        state_ = State::data_lf;
      }
      if (used < input.size()) {
        if (input[used++] != '\n') return refuse("A chunk's data does not end with CR LF.");
        state_ = State::size_start;
      }
      return {Part::framing, input.substr(0, used), {}};
    }
    default:
      return trailer(input);
  }
}

// Digits and the line's end are one piece where nothing is between them.
ChunkedDecoder::Piece ChunkedDecoder::size(std::string_view input) {
  std::size_t used = 0;
  if (state_ == State::size_start) {
    left_ = 0;
    digits_ = 0;
    state_ = State::size_digits;
  }
  while (state_ == State::size_digits && used < input.size()) {
    const auto c = input[used];
    if (const auto digit = hex_digit(c); digit >= 0) {
      if (++digits_ > most_digits || left_ >> 59 != 0)
        return refuse("A chunk's size is too large.");
      left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
      ++used;
      continue;
    }
    if (digits_ == 0) return refuse("A chunk does not start with its size in hexadecimal digits.");
    if (c == ';') {
      state_ = State::extension;
      line_ = 0;
      // No piece is empty: with nothing taken yet the extension starts at once.
      return used > 0 ? Piece{Part::framing, input.substr(0, used), {}} : extension(input);
    }
    if (c != '\r') return refuse("A chunk's size is not followed by CR LF.");
    state_ = State::size_lf;
    ++used;
  }
  if (state_ == State::size_lf && used < input.size()) {
    if (input[used++] != '\n') return refuse("A chunk's size line does not end with CR LF.");
    state_ = left_ == 0 ? State::trailer_start : State::data;
  }
  return {Part::framing, input.substr(0, used), {}};
}

ChunkedDecoder::Piece ChunkedDecoder::extension(std::string_view input) {
  const auto length = octets::value_end(input, 0);
  line_ += length;
  overhead_ += length;
  if (line_ > longest_line || overhead_ > largest_overhead) {
    return refuse("The chunk extensions are too long.");
  }
  if (length > 0) return {Part::dropped, input.substr(0, length), {}};
  if (input.front() != '\r') return refuse("A chunk extension has a control character.");
  state_ = State::size_lf;
  return {Part::framing, input.substr(0, 1), {}};
}

ChunkedDecoder::Piece ChunkedDecoder::trailer(std::string_view input) {
  if (state_ == State::trailer_start) {
    line_ = 0;
    if (input.front() != '\r') {
      state_ = State::trailer_name;
    } else {
      state_ = State::last_lf;
      if (input.size() == 1) return {Part::framing, input, {}};
      input = input.substr(0, 2);
      if (input[1] != '\n') return refuse("The chunked body does not end with CR LF.");
      state_ = State::done;
      return {Part::framing, input, {}};
    }
  }
  if (state_ == State::last_lf) {
    if (input.front() != '\n') return refuse("The chunked body does not end with CR LF.");
    state_ = State::done;
    return {Part::framing, input.substr(0, 1), {}};
  }
  std::size_t used = 0;
  while (used < input.size() && state_ != State::trailer_start) {
    const auto c = input[used++];
    if (++line_ > longest_line || ++overhead_ > largest_overhead) {
      return refuse("The trailer fields are too large.");
    }
    if (state_ == State::trailer_name) {
      if (c == ':' && line_ > 1) {
        state_ = State::trailer_value;
      } else if (!octets::is(c, octets::token)) {
        return refuse("A trailer field is malformed.");
      }
    } else if (state_ == State::trailer_value) {
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (!octets::is(c, octets::value)) {
        return refuse("A trailer field has a control character.");
      }
    } else {
      if (c != '\n') return refuse("A trailer field does not end with CR LF.");
      state_ = State::trailer_start;
    }
  }
  return {Part::dropped, input.substr(0, used), {}};
}

}  // namespace renga::http

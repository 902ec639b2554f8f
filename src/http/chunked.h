// ChunkedDecoder: reads a chunked body (RFC 9112 7.1) as it comes, without copying or buffering.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/parser.h"

namespace renga::http {

class ChunkedDecoder {
 public:
  // What the first bytes of the input are. To decode, keep the payload. To pass the body on as it
  // is, keep framing and payload: what is dropped are chunk extensions and trailer fields, which
  // nobody may rely on and attackers do.
  enum class Part {
    need_more,  // the input is used up (bytes is empty)
    framing,
    payload,
    dropped,
    end,     // the body is over; bytes is empty, and the rest of the input is not part of it
    refused  // the connection must be closed; reason says why
  };
  struct Piece {
    Part part = Part::need_more;
    std::string_view bytes;   // the front of the input
    std::string_view reason;  // static text
  };

  // Call again with the input behind Piece::bytes until need_more, end or refused.
  Piece next(std::string_view input);
  void reset() { *this = ChunkedDecoder(); }
  bool done() const { return state_ == State::done; }

 private:
  enum class State {
    size_start,
    size_digits,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
    done,
    failed
  };
  Piece refuse(std::string_view reason);
  Piece size(std::string_view input);
  Piece extension(std::string_view input);
  Piece trailer(std::string_view input);

  State state_ = State::size_start;
  std::uint64_t left_ = 0;    // of the chunk's data
  unsigned digits_ = 0;       // of its size
  std::size_t line_ = 0;      // bytes of the extension or trailer line
  std::size_t overhead_ = 0;  // bytes of all extensions and trailers
};

}  // namespace renga::http

// filter_chunks(): takes a chunked body apart in place: what may be passed on (framing and payload,
// or the payload alone) is moved together at the front of the buffer, so that one write sends it.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "http/chunked.h"

namespace renga::router {

enum class Keep { framing_and_payload, payload };

struct Filtered {
  std::size_t kept = 0;     // bytes at the front of the buffer to pass on
  std::size_t payload = 0;  // of those, without framing
  std::size_t used = 0;     // bytes of the input that belonged to the body
  bool done = false;        // the body is over; the rest of the input is something else
  bool refused = false;
};

inline Filtered filter_chunks(http::ChunkedDecoder& decoder, char* data, std::size_t size,
                              Keep keep) {
  using Part = http::ChunkedDecoder::Part;
  Filtered result;
  while (true) {
    const auto piece = decoder.next({data + result.used, size - result.used});
    switch (piece.part) {
      case Part::need_more:
        result.done = decoder.done();
        return result;
      case Part::end:
        result.done = true;
        return result;
      case Part::refused:
        result.refused = true;
        return result;
      case Part::dropped:
        break;
      case Part::framing:
      case Part::payload:
        if (piece.part == Part::framing && keep == Keep::payload) break;
        if (result.kept != result.used) {
          std::memmove(data + result.kept, piece.bytes.data(), piece.bytes.size());
        }
        result.kept += piece.bytes.size();
        if (piece.part == Part::payload) result.payload += piece.bytes.size();
        break;
    }
    result.used += piece.bytes.size();
  }
}

}  // namespace renga::router

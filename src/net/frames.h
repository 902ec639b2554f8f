// Frames: typed messages on a byte stream, for sessions of our own CLI: a byte that says what it
// is, four that say how long (big endian), and the content.
//
//   client to server   I input   E its end   W the window: columns and rows, two bytes each
//   server to client   O output  X the exit status: one byte
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace renga::net {

inline constexpr std::size_t longest_frame = 64 * 1024;  // of content

// `content` must not be longer than longest_frame.
std::string frame(char type, std::string_view content);

// Belongs to one thread. Holds at most one frame.
class FrameReader {
 public:
  // Calls for every frame that is whole now. False, for good: a frame is too long, so these are no
  // frames.
  bool feed(std::string_view bytes,
            const std::function<void(char type, std::string_view content)>& on_frame);

 private:
  std::string held_;
  bool broken_ = false;
};

}  // namespace renga::net

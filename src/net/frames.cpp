#include "net/frames.h"

#include <cstdint>
#include <stdexcept>

namespace renga::net {
namespace {
constexpr std::size_t head = 5;
}

std::string frame(char type, std::string_view content) {
  if (content.size() > longest_frame) throw std::length_error("a frame of more than 64 KiB");
  const auto size = static_cast<std::uint32_t>(content.size());
  std::string made{type};
  for (int shift = 24; shift >= 0; shift -= 8) made += static_cast<char>(size >> shift & 0xff);
  return made.append(content);
}

bool FrameReader::feed(std::string_view bytes,
                       const std::function<void(char, std::string_view)>& on_frame) {
  if (broken_) return false;
  held_ += bytes;
  std::size_t at = 0;
  while (held_.size() - at >= head) {
    std::size_t size = 0;
    for (std::size_t i = 1; i < head; ++i)
      size = size << 8 | static_cast<unsigned char>(held_[at + i]);
    if (size > longest_frame) {
      broken_ = true;
      held_.clear();
      return false;
    }
    if (held_.size() - at - head < size) break;
    on_frame(held_[at], std::string_view(held_).substr(at + head, size));
    at += head + size;
  }
  held_.erase(0, at);
  return true;
}

}  // namespace renga::net

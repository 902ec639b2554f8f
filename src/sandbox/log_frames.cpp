#include "sandbox/log_frames.h"

#include "base/text.h"

namespace renga::sandbox {
namespace {

// Microseconds of 19 digits, a letter, five digits of length, two spaces.
constexpr std::size_t longest_head = 32;

}  // namespace

std::vector<LogFrame> LogDecoder::feed(std::string_view bytes) {
  std::vector<LogFrame> frames;
  if (broken_) return frames;
  rest_.append(bytes);
  if (id_.empty() && !read_greeting()) return frames;
  while (!broken_ && read_frame(frames)) continue;
  rest_.erase(0, read_);
  read_ = 0;
  return frames;
}

bool LogDecoder::read_greeting() {
  const auto end = rest_.find('\n');
  if (end == std::string::npos || end > longest_log_greeting) {
    broken_ = rest_.size() > longest_log_greeting;
    return false;
  }
  const auto [id, secret] = text::split_once(std::string_view(rest_).substr(0, end), ' ');
  if (id.empty() || secret.empty()) {
    broken_ = true;
    return false;
  }
  id_ = id;
  secret_ = secret;
  read_ = end + 1;
  return true;
}

bool LogDecoder::read_frame(std::vector<LogFrame>& frames) {
  const auto left = std::string_view(rest_).substr(read_);
  const auto end = left.substr(0, longest_head + 1).find('\n');
  if (end == std::string_view::npos) {
    broken_ = left.size() > longest_head;
    return false;
  }
  const auto parts = text::split(left.substr(0, end), ' ');
  const auto micros = parts.size() == 3 ? text::number(parts[0]) : std::nullopt;
  const auto length = parts.size() == 3 ? text::number(parts[2]) : std::nullopt;
  if (!micros || !length || *micros < 0 || *length < 0 ||
      *length > static_cast<std::int64_t>(longest_log_line) || parts[1].size() != 1) {
    broken_ = true;
    return false;
  }
  const auto size = static_cast<std::size_t>(*length);
  if (left.size() - end - 1 < size) return false;

  const auto bytes = left.substr(end + 1, size);
  LogFrame frame{*micros, LogStream::output, {}, 0};
  switch (parts[1][0]) {
    case 'e':
      frame.stream = LogStream::error;
      [[fallthrough]];
    case 'o':
      frame.line = bytes;
      break;
    case 'd': {
      const auto count = text::number(bytes);
      broken_ = !count || *count < 0;
      if (broken_) return false;
      frame.dropped = static_cast<std::uint64_t>(*count);
      break;
    }
    default:
      broken_ = true;
      return false;
  }
  frames.push_back(std::move(frame));
  read_ += end + 1 + size;
  return true;
}

}  // namespace renga::sandbox

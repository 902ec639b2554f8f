#include "sandbox/log_frames.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace renga::sandbox {
namespace {

// Microseconds of 19 digits, a letter, five digits of length, two spaces.
constexpr std::size_t longest_head = 32;
constexpr std::size_t longest_piece =
    std::max(longest_head + 1 + longest_log_line, longest_log_greeting + 1);

// The decimal number that the text begins with, taken off it.
template <class Number>
std::optional<Number> number_off(std::string_view& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

struct Head {
  std::int64_t micros = 0;
  char kind = 0;
  std::size_t length = 0;
};

std::optional<Head> parse_head(std::string_view text) {
  const auto micros = number_off<std::int64_t>(text);
  if (!micros || *micros < 0 || text.size() < 4 || text[0] != ' ' || text[2] != ' ')
    return std::nullopt;
  const char kind = text[1];
  text.remove_prefix(3);
  const auto length = number_off<std::uint32_t>(text);
  if (!length || *length > longest_log_line || !text.empty()) return std::nullopt;
  return Head{*micros, kind, *length};
}

}  // namespace

void LogDecoder::feed(std::string_view bytes, std::vector<LogFrame>& frames) {
  if (broken_) return;
  if (!rest_.empty()) {
    const auto before = rest_.size();
    whole_.swap(rest_);
    rest_.clear();
    whole_.append(bytes.substr(0, longest_piece));
    std::string_view input(whole_);
    if (!read_next(input, frames)) {
      if (!broken_) rest_.swap(whole_);
      return;
    }
    bytes.remove_prefix(whole_.size() - before - input.size());
  }
  while (read_next(bytes, frames)) continue;
  if (!broken_) rest_ = bytes;
}

bool LogDecoder::read_next(std::string_view& input, std::vector<LogFrame>& frames) {
  if (input.empty()) return false;
  return id_.empty() ? read_greeting(input) : read_frame(input, frames);
}

bool LogDecoder::read_greeting(std::string_view& input) {
  const auto end = input.find('\n');
  if (end == std::string_view::npos || end > longest_log_greeting) {
    broken_ = input.size() > longest_log_greeting;
    return false;
  }
  const auto [id, secret] = text::split_once(input.substr(0, end), ' ');
  broken_ = id.empty() || secret.empty();
  if (broken_) return false;
  id_ = id;
  secret_ = secret;
  input.remove_prefix(end + 1);
  return true;
}

bool LogDecoder::read_frame(std::string_view& input, std::vector<LogFrame>& frames) {
  const auto end = input.substr(0, longest_head + 1).find('\n');
  if (end == std::string_view::npos) {
    broken_ = input.size() > longest_head;
    return false;
  }
  const auto head = parse_head(input.substr(0, end));
  broken_ = !head || (head->kind != 'o' && head->kind != 'e' && head->kind != 'd');
  if (broken_ || input.size() - end - 1 < head->length) return false;

  LogFrame frame{head->micros, LogStream::output, input.substr(end + 1, head->length), 0};
  if (head->kind == 'e') frame.stream = LogStream::error;
  if (head->kind == 'd') {
    const auto dropped = number_off<std::uint64_t>(frame.line);
    broken_ = !dropped || !frame.line.empty();
    if (broken_) return false;
    frame.dropped = *dropped;
    frame.line = {};
  }
  frames.push_back(frame);
  input.remove_prefix(end + 1 + head->length);
  return true;
}

}  // namespace renga::sandbox

#include "logs/input_frames.h"

#include <fmt/format.h>

#include "base/text.h"

namespace renga::logs {
namespace {

std::string_view next_word(std::string_view& text) {
  const auto [word, rest] = text::split_once(text, ' ');
  text = rest;
  return word;
}

// "<190>1" or "<190>": a number up to 191, and the version, which nothing depends on.
bool is_priority(std::string_view word) {
  const auto close = word.find('>');
  if (!word.starts_with('<') || close == std::string_view::npos || close > 4) return false;
  const auto priority = text::number(word.substr(1, close - 1));
  const auto version = word.substr(close + 1);
  return priority && *priority >= 0 && *priority <= 191 && (version.empty() || version == "1");
}

// Behind the message's id there is structured data or "-"; some leave it out, as Heroku's own
// drains do.
void skip_structured_data(std::string_view& text) {
  if (text == "-") text = {};
  if (text.starts_with("- ")) text.remove_prefix(2);
  if (!text.starts_with('[')) return;
  auto rest = text;
  while (rest.starts_with('[')) {
    std::size_t end = 1;
    for (bool quoted = false; end < rest.size() && (quoted || rest[end] != ']'); ++end) {
      if (rest[end] == '\\')
        ++end;
      else if (rest[end] == '"')
        quoted = !quoted;
    }
    if (end >= rest.size()) return;  // a message that begins with a bracket
    rest.remove_prefix(end + 1);
  }
  if (!rest.empty() && rest.front() != ' ') return;
  text = rest.empty() ? rest : rest.substr(1);
}

}  // namespace

Result<std::vector<InputFrame>> input_frames(std::string_view body) {
  const auto total = body.size();
  std::vector<InputFrame> frames;
  while (!body.empty()) {
    const auto wrong = [&](std::string_view what) {
      return fail(Kind::invalid, fmt::format("At byte {}: {}", total - body.size(), what));
    };
    if (frames.size() == most_input_frames)
      return wrong(fmt::format("more than {} messages in one body.", most_input_frames));
    const auto space = body.substr(0, 8).find(' ');
    const auto length =
        space == std::string_view::npos ? std::nullopt : text::number(body.substr(0, space));
    if (!length || *length < 1)
      return wrong("a message begins with the number of its bytes and a space.");
    const auto rest = body.substr(space + 1);
    if (static_cast<std::size_t>(*length) > rest.size())
      return wrong(
          fmt::format("the message is to have {} bytes, and {} are left.", *length, rest.size()));
    auto text = rest.substr(0, static_cast<std::size_t>(*length));
    if (!is_priority(next_word(text)))
      return wrong("a message begins with its priority, such as <190>1.");
    next_word(text);  // the time
    next_word(text);  // the host
    InputFrame frame;
    frame.app = next_word(text);
    frame.process = next_word(text);
    next_word(text);  // the message's id
    skip_structured_data(text);
    if (frame.process.empty()) return wrong("a message has a time, a host, an app and a process.");
    frame.message = text;
    frames.push_back(frame);
    body.remove_prefix(space + 1 + static_cast<std::size_t>(*length));
    // Some end each message with a line end of its own, which the length leaves out.
    while (body.starts_with('\n') || body.starts_with('\r')) body.remove_prefix(1);
  }
  return frames;
}

}  // namespace renga::logs

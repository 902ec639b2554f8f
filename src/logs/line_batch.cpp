#include "logs/line_batch.h"

namespace renga::logs {
namespace {

// Sources and processes come from the platform, but never trust a word with a bracket.
void append_plain(std::string& text, std::string_view word) {
  for (const char c : word)
    text += c == '[' || c == ']' || c == ' ' || static_cast<unsigned char>(c) < 32 ? '_' : c;
}

}  // namespace

void LineBatch::add(const LineView& line) {
  text_ += time_.of(line.at);
  text_ += ' ';
  append_plain(text_, line.source);
  text_ += '[';
  append_plain(text_, line.process);
  text_ += "]: ";
  text_ += line.message;
  text_ += '\n';
  marks_.push_back({line.at, text_.size(), static_cast<std::uint32_t>(line.source.size()),
                    static_cast<std::uint32_t>(line.process.size())});
}

void LineBatch::add(const LineBatch& others) {
  const auto offset = text_.size();
  text_ += others.text_;
  for (auto mark : others.marks_) {
    mark.end += offset;
    marks_.push_back(mark);
  }
}

std::vector<PlacedView> LineBatch::placed(std::uint64_t first) const {
  std::vector<PlacedView> all;
  all.reserve(marks_.size());
  std::size_t begin = 0;
  for (const auto& mark : marks_) {
    const auto text = std::string_view(text_).substr(begin, mark.end - begin - 1);
    constexpr std::size_t time = 33;  // with its space
    const auto message = time + mark.source + 1 + mark.process + 3;
    all.push_back({first++,
                   {mark.at, text.substr(time, mark.source),
                    text.substr(time + mark.source + 1, mark.process), text.substr(message)},
                   text});
    begin = mark.end;
  }
  return all;
}

}  // namespace renga::logs

#include "logs/line.h"

#include "base/text.h"

namespace renga::logs {
namespace {

constexpr std::size_t longest = 10'000;
constexpr std::size_t time_size = 32;  // 2026-01-05T10:00:00.123456+00:00

// Where to cut a text that is longer than a line may be. A continuation byte is 10xxxxxx; bytes
// that are no UTF-8 at all are cut anywhere.
std::size_t end_of_piece(std::string_view text) {
  if (text.size() <= longest) return text.size();
  for (std::size_t end = longest; end > longest - 4; --end)
    if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80) return end;
  return longest;
}

}  // namespace

Line copy_of(const LineView& line) {
  return {line.at, std::string(line.source), std::string(line.process), std::string(line.message)};
}

std::string format(const LineView& line) {
  auto text = rfc3339_micros(line.at);
  text.reserve(text.size() + line.source.size() + line.process.size() + line.message.size() + 5);
  text += ' ';
  text += line.source;
  text += '[';
  text += line.process;
  text += "]: ";
  text += line.message;
  return text;
}

std::optional<LineView> parse(std::string_view text) {
  if (text.size() < time_size + 1 || text[time_size] != ' ') return std::nullopt;
  const auto at = parse_rfc3339(text.substr(0, time_size));
  text.remove_prefix(time_size + 1);
  const auto open = text.find('[');
  const auto close = text.find("]: ");
  if (!at || open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  return LineView{*at, text.substr(0, open), text.substr(open + 1, close - open - 1),
                  text.substr(close + 3)};
}

bool is_one_line(std::string_view message) {
  return message.size() <= longest && message.find('\n') == std::string_view::npos &&
         !message.ends_with('\r');
}

std::vector<std::string_view> cut(std::string_view message) {
  std::vector<std::string_view> pieces;
  for (auto line : text::lines(message)) {
    do {
      const auto end = end_of_piece(line);
      pieces.emplace_back(line.substr(0, end));
      line.remove_prefix(end);
    } while (!line.empty());
  }
  if (pieces.empty()) pieces.emplace_back();
  return pieces;
}

}  // namespace renga::logs

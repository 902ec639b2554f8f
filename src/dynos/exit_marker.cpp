#include "dynos/exit_marker.h"

#include <algorithm>
#include <utility>

namespace renga::dynos {
namespace {

constexpr std::string_view marker = "\xEF\xBF\xBF heroku-command-exit-status: ";
constexpr std::size_t longest_line = 64;  // the marker, digits and a line end, generously

// How the text stands to a marker line that begins with it.
enum class Fits { no, so_far, whole };
Fits fits(std::string_view text, std::size_t& end) {
  const auto common = std::min(text.size(), marker.size());
  if (text.substr(0, common) != marker.substr(0, common)) return Fits::no;
  const auto line = text.find('\n');
  if (line != std::string_view::npos && line >= marker.size()) {
    end = line + 1;
    return Fits::whole;
  }
  return text.size() > longest_line ? Fits::no : Fits::so_far;
}

}  // namespace

std::vector<std::string> ExitMarker::feed(std::string_view bytes) {
  auto text = std::exchange(held_, {});
  text += bytes;
  std::vector<std::string> pieces;
  std::size_t sent = 0;
  const auto send_until = [&](std::size_t end) {
    if (end > sent) pieces.push_back(text.substr(sent, end - sent));
    sent = end;
  };
  for (auto at = text.find(marker[0]); at != std::string::npos;) {
    std::size_t end = 0;
    switch (fits(std::string_view(text).substr(at), end)) {
      case Fits::no:
        at = text.find(marker[0], at + 1);
        break;
      case Fits::whole:
        send_until(at);
        send_until(at + end);
        at = text.find(marker[0], sent);
        break;
      case Fits::so_far:
        send_until(at);
        held_ = text.substr(at);
        return pieces;
    }
  }
  send_until(text.size());
  return pieces;
}

std::string ExitMarker::flush() { return std::exchange(held_, {}); }

}  // namespace renga::dynos

#include <algorithm>

#include "api/routes.h"
#include "base/text.h"

namespace renga::api {
namespace {

// Decoded only after the cut, so that %2F stays inside its segment. Empty ones ("//", a slash at
// the end) do not count: some clients make them.
std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (const auto& part : text::split(path, '/'))
    if (!part.empty()) segments.push_back(text::url_decode(part));
  return segments;
}

}  // namespace

RouteTable::RouteTable() {
  for (const auto& row : routes()) {
    Compiled compiled{&row, {}, false};
    for (const auto& part : segments_of(row.path)) {
      const auto close = part.find('}');
      if (part == "{rest...}")
        compiled.takes_rest = true;
      else if (part.starts_with('{') && close != std::string::npos)
        compiled.segments.push_back({true, part.substr(1, close - 1), part.substr(close + 1)});
      else
        compiled.segments.push_back({false, part, ""});
    }
    compiled_.push_back(std::move(compiled));
  }
}

RouteTable::Match RouteTable::find(std::string_view method, std::string_view path) const {
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  const auto parts = segments_of(path);
  Match match;
  for (const auto& [row, segments, takes_rest] : compiled_) {
    if (segments.size() != parts.size() && !(takes_rest && segments.size() < parts.size()))
      continue;
    const auto begin = std::span(parts).first(segments.size());
    const bool fits =
        std::ranges::equal(segments, begin, [](const Segment& segment, const auto& part) {
          if (!segment.param) return part == segment.text;
          return part.size() > segment.suffix.size() && part.ends_with(segment.suffix);
        });
    if (!fits) continue;
    if (row->method != wanted && row->method != "ANY") {
      if (std::ranges::find(match.methods, row->method) == match.methods.end())
        match.methods.emplace_back(row->method);
      continue;
    }
    match.row = row;
    for (std::size_t i = segments.size(); i < parts.size(); ++i)
      match.params["rest"] += "/" + text::url_encode(parts[i]);
    for (std::size_t i = 0; i < segments.size(); ++i)
      if (segments[i].param)
        match.params[segments[i].text] =
            parts[i].substr(0, parts[i].size() - segments[i].suffix.size());
    return match;
  }
  return match;
}

}  // namespace renga::api

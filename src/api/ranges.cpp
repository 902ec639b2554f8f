// The grammar, as clients write it: an attribute, the two ends, then options behind `;`, separated
// by `;`, `,` or blanks, in any order. Every part may be missing: "version ..; order=desc,max=1",
// "id ..; max=1000;", "max=5", "name ]a..b", and nothing at all.
#include "api/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"

namespace renga::api {
namespace {

std::unexpected<Error> refuse(std::string message) {
  return fail(Kind::bad_request,
              std::move(message) + " Ranges read like `id ]last..; max=200, order=desc`.");
}

// An e-mail address may hold what the grammar cuts at, and a name may hold two dots: such bytes
// are written as %XX, and so is the percent sign itself.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool cuts = c <= ' ' || c >= 0x7f ||
                      std::string_view("%;,=").find(text[i]) != text.npos ||
                      (i == 0 && text[i] == ']') ||
                      (text[i] == '.' && (i == 0 || text[i - 1] == '.' || i + 1 == text.size()));
    if (cuts)
      out += fmt::format("%{:02X}", c);
    else
      out += text[i];
  }
  return out;
}

std::string names_of(std::span<const Attribute> attributes) {
  std::vector<std::string> names;
  for (const auto& attribute : attributes) names.emplace_back(attribute.name);
  return text::join(names, ", ");
}

Result<void> read_option(Range& range, std::string_view option) {
  const auto [name, value] = text::split_once(option, '=');
  if (name == "max") {
    const auto max = text::number(value);
    if (!max || *max < 1)
      return refuse(fmt::format("`max` in the Range must be a whole number from 1 to {}.",
                                Range::largest_max));
    range.max = std::min(static_cast<std::size_t>(*max), Range::largest_max);
    return {};
  }
  if (name == "order" && (value == "asc" || value == "desc")) {
    range.descending = value == "desc";
    return {};
  }
  return refuse(
      fmt::format("The Range has `{}`, which is neither max=N nor order=asc or order=desc.",
                  text::printable(option)));
}

Result<void> read_ends(Range& range, PlaceKind kind, std::string_view ends) {
  const auto dots = ends.find("..");
  if (dots == ends.npos)
    return refuse(fmt::format("The Range's `{}` lacks the two dots.", text::printable(ends)));
  auto first = ends.substr(0, dots);
  const auto last = ends.substr(dots + 2);
  if (first.starts_with(']')) {
    range.after_first = true;
    first.remove_prefix(1);
  }
  const auto end = [&](std::string_view written, std::optional<Place>& place) -> Result<void> {
    if (written.empty()) return {};
    place = read_place(kind, written);
    if (!place)
      return refuse(fmt::format("The Range's `{}` is not a value of {}.", text::printable(written),
                                range.attribute));
    return {};
  };
  TRY(end(first, range.first));
  TRY(end(last, range.last));
  return {};
}

}  // namespace

std::string write_place(PlaceKind kind, const Place& place) {
  if (kind == PlaceKind::text) return escaped(place.text);
  if (kind == PlaceKind::number) return std::to_string(place.number);
  return rfc3339(Time(std::chrono::seconds(place.number)));
}

std::optional<Place> read_place(PlaceKind kind, std::string_view written) {
  if (kind == PlaceKind::text) return Place{0, text::url_decode(written)};
  if (kind == PlaceKind::number) {
    const auto number = text::number(written);
    if (!number) return std::nullopt;
    return Place{*number, {}};
  }
  const auto time = parse_rfc3339(written);
  if (!time) return std::nullopt;
  return Place{std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count(), {}};
}

Result<Range> parse_range(std::string_view header, std::span<const Attribute> attributes) {
  Range range;
  range.attribute = attributes.front().name;
  auto kind = attributes.front().kind;

  std::vector<std::string> words;
  // Named, since the parts are views into it.
  const auto spaced = text::replace_all(text::replace_all(std::string(header), ";", " "), ",", " ");
  for (const auto part : text::split(spaced, ' '))
    if (!text::trim(part).empty()) words.emplace_back(text::trim(part));

  // The attribute and the ends come first; what holds a '=' is an option.
  std::size_t at = 0;
  const auto is_plain = [&] {
    return at < words.size() && words[at].find('=') == std::string::npos;
  };
  if (is_plain() && words[at].find("..") == std::string::npos) {
    const auto found =
        std::ranges::find_if(attributes, [&](const auto& a) { return a.name == words[at]; });
    if (found == attributes.end())
      return refuse(fmt::format("This list cannot be ordered by `{}`, only by: {}.",
                                text::printable(words[at]), names_of(attributes)));
    range.attribute = found->name;
    kind = found->kind;
    ++at;
  }
  if (is_plain()) TRY(read_ends(range, kind, words[at++]));
  for (; at < words.size(); ++at) TRY(read_option(range, words[at]));

  // "1..10; order=desc" means those ten from the end, as "10..1; order=desc" does.
  if (range.first && range.last &&
      (range.descending ? *range.first < *range.last : *range.last < *range.first))
    std::swap(range.first, range.last);
  return range;
}

Page choose(const Range& range, std::span<const Place> places,
            std::span<const Attribute> attributes) {
  const auto before = [&](const Place& a, const Place& b) {
    return range.descending ? b < a : a < b;
  };
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& place = places[i];
    if (range.first && before(place, *range.first)) continue;
    if (range.first && range.after_first && place == *range.first) continue;
    if (range.last && before(*range.last, place)) continue;
    order.push_back(i);
  }
  std::ranges::stable_sort(order, [&](auto a, auto b) { return before(places[a], places[b]); });

  Page page;
  auto end = std::min(range.max, order.size());
  // The next page starts behind a value, so those of the same value stay together.
  while (end > 0 && end < order.size() && places[order[end]] == places[order[end - 1]]) ++end;
  page.chosen.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(end));
  page.more = end < order.size();

  page.headers.set("Accept-Ranges", names_of(attributes));
  if (page.chosen.empty()) return page;
  auto kind = PlaceKind::text;
  for (const auto& attribute : attributes)
    if (attribute.name == range.attribute) kind = attribute.kind;
  const auto options = fmt::format("; max={}{}", range.max, range.descending ? ", order=desc" : "");
  const auto final = write_place(kind, places[page.chosen.back()]);
  page.headers.set("Content-Range",
                   fmt::format("{} {}..{}{}", range.attribute,
                               write_place(kind, places[page.chosen.front()]), final, options));
  if (page.more)
    page.headers.set("Next-Range",
                     fmt::format("{} ]{}..{}{}", range.attribute, final,
                                 range.last ? write_place(kind, *range.last) : "", options));
  return page;
}

}  // namespace renga::api

// Ranges: how lists are read in pieces. `Range: name ]my-app..; order=desc, max=10` asks for what
// follows my-app, from the end, ten at a time; `Next-Range` in the answer is what to ask next.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/answer.h"
#include "base/clock.h"

namespace renga::api {

// Where an element stands in an order: by number or by text.
struct Place {
  std::int64_t number = 0;
  std::string text;
  auto operator<=>(const Place&) const = default;
};

enum class PlaceKind { text, number, time };
// As it is written in a range, and back. Nothing for what cannot be read.
std::string write_place(PlaceKind kind, const Place& place);
std::optional<Place> read_place(PlaceKind kind, std::string_view text);

struct Range {
  static constexpr std::size_t default_max = 200;
  static constexpr std::size_t largest_max = 1'000;

  std::string attribute;
  // Both in the direction of reading: with `descending`, `first` is the greater one.
  std::optional<Place> first;
  bool after_first = false;  // `]`: without the first itself
  std::optional<Place> last;
  bool descending = false;
  std::size_t max = default_max;
  bool operator==(const Range&) const = default;
};

// What a list may be ordered by, the default first.
struct Attribute {
  std::string_view name;
  PlaceKind kind = PlaceKind::text;
};

// An empty header is a whole range. The error's message says what was not understood; its status is
// 416.
Result<Range> parse_range(std::string_view header, std::span<const Attribute> attributes);

// The chosen elements of a list, and the headers that say where they are in it.
struct Page {
  std::vector<std::size_t> chosen;
  bool more = false;
  http::Headers headers;
};
Page choose(const Range& range, std::span<const Place> places,
            std::span<const Attribute> attributes);

template <class T>
struct Order {
  Attribute attribute;
  std::function<Place(const T&)> place;
};
template <class T>
Order<T> by_text(std::string_view name, std::function<std::string(const T&)> text) {
  return {{name, PlaceKind::text}, [text](const T& element) { return Place{0, text(element)}; }};
}
template <class T>
Order<T> by_number(std::string_view name, std::function<std::int64_t(const T&)> number) {
  return {{name, PlaceKind::number}, [number](const T& element) {
            return Place{number(element), {}};
          }};
}
template <class T>
Order<T> by_time(std::string_view name, std::function<Time(const T&)> time) {
  return {{name, PlaceKind::time}, [time](const T& element) {
            const auto at = std::chrono::floor<std::chrono::seconds>(time(element));
            return Place{at.time_since_epoch().count(), {}};
          }};
}

// The page of `elements` that the header asks for; `to_json` is called only for what is on it.
template <class T, class ToJson>
Answer list(std::string_view header, const std::vector<T>& elements,
            const std::vector<Order<T>>& orders, ToJson to_json) {
  std::vector<Attribute> attributes;
  for (const auto& order : orders) attributes.push_back(order.attribute);
  const auto range = parse_range(header, attributes);
  if (!range) return refusal(416, "requested_range_not_satisfiable", range.error().message);

  const Order<T>* order = &orders.front();
  for (const auto& candidate : orders)
    if (candidate.attribute.name == range->attribute) order = &candidate;
  std::vector<Place> places;
  places.reserve(elements.size());
  for (const auto& element : elements) places.push_back(order->place(element));

  auto page = choose(*range, places, attributes);
  json::array found;
  for (const auto index : page.chosen) found.push_back(to_json(elements[index]));
  return Answer{page.more ? 206 : 200, std::move(found), std::move(page.headers), {}};
}

}  // namespace renga::api

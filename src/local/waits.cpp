#include "local/waits.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace renga::local {
namespace {

// "a=b,c=d" in its order. Values hold no comma.
Result<std::vector<std::pair<std::string, std::string>>> pairs_of(std::string_view flag,
                                                                  std::string_view text,
                                                                  const Procfile& procfile) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto part : text::split(text, ',')) {
    if (text::trim(part).empty()) continue;
    const auto [name, value] = text::split_once(part, '=');
    const auto type = text::trim(name);
    if (!procfile.find(type))
      return fail(Kind::invalid, fmt::format("{} names {}, which is no type of the Procfile.", flag,
                                             text::printable(type)));
    if (text::trim(value).empty())
      return fail(Kind::invalid, fmt::format("{} says nothing of {}.", flag, type));
    pairs.emplace_back(type, text::trim(value));
  }
  return pairs;
}

Result<Check> check_of(const std::string& type, std::string_view text) {
  if (text.starts_with('/')) {
    if (text.find_first_of(" \r\n") != std::string_view::npos)
      return fail(Kind::invalid, fmt::format("--health: the path of {} has a blank in it.", type));
    return Check{Check::Kind::page, std::string(text)};
  }
  for (const auto& [name, kind] :
       {std::pair{"port", Check::Kind::port}, {"up", Check::Kind::up}, {"exit", Check::Kind::exit}})
    if (text == name) return Check{kind};
  return fail(Kind::invalid,
              fmt::format("--health: {} cannot be \"{}\". It takes port, up, exit, or a path such "
                          "as /healthz.",
                          type, text::printable(text)));
}

// The types of a circle that begins at `type`, or nothing.
std::vector<std::string> circle_from(const Waits& waits, const std::string& type,
                                     std::vector<std::string> way = {}) {
  const auto seen = std::ranges::find(way, type);
  if (seen != way.end()) {
    way.erase(way.begin(), seen);
    way.push_back(type);
    return way;
  }
  way.push_back(type);
  if (const auto next = waits.after.find(type); next != waits.after.end())
    for (const auto& other : next->second)
      if (auto circle = circle_from(waits, other, way); !circle.empty()) return circle;
  return {};
}

}  // namespace

Result<Waits> Waits::parse(std::string_view after, std::string_view health,
                           const Procfile& procfile, const std::vector<Instance>& instances) {
  const auto runs = [&](const std::string& type) {
    return std::ranges::any_of(instances,
                               [&](const Instance& instance) { return instance.type == type; });
  };
  Waits waits;
  for (const auto& [type, value] : TRY(pairs_of("--after", after, procfile))) {
    auto& those = waits.after[type];
    for (const auto other : text::split(value, '+')) {
      const std::string name(text::trim(other));
      if (!procfile.find(name))
        return fail(Kind::invalid,
                    fmt::format("--after lets {} wait for {}, which is no type of the Procfile.",
                                type, text::printable(name)));
      if (runs(name) && std::ranges::find(those, name) == those.end()) those.push_back(name);
    }
  }
  for (const auto& [type, unused] : waits.after)
    if (const auto circle = circle_from(waits, type); !circle.empty())
      return fail(Kind::invalid,
                  fmt::format("--after goes in a circle, so nothing of it could start: {}.",
                              text::join(circle, " waits for ")));
  std::map<std::string, Check> given;
  for (const auto& [type, value] : TRY(pairs_of("--health", health, procfile)))
    given[type] = TRY(check_of(type, value));
  for (const auto& [type, those] : waits.after)
    for (const auto& other : those)
      waits.checks[other] = {other == "web" ? Check::Kind::port : Check::Kind::up};
  for (const auto& [type, check] : given)
    if (waits.checks.contains(type) || check.kind == Check::Kind::exit) waits.checks[type] = check;
  return waits;
}

}  // namespace renga::local

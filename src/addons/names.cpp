#include "addons/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/id.h"
#include "base/random.h"
#include "base/text.h"

namespace renga::addons {
namespace {

constexpr std::array adjectives = {
    "acute",       "animated",      "aerodynamic", "asymmetrical", "clean",       "clear",
    "colorful",    "concave",       "contoured",   "convex",       "crystalline", "cubed",
    "curly",       "cylindrical",   "deep",        "defined",      "dimensional", "elliptical",
    "encircled",   "fitted",        "flat",        "flexible",     "globular",    "graceful",
    "horizontal",  "infinite",      "lively",      "metric",       "octagonal",   "opaque",
    "parallel",    "perpendicular", "polished",    "regular",      "rigid",       "rugged",
    "round",       "shaped",        "silhouetted", "solid",        "spherical",   "sinuous",
    "symmetrical", "tapered",       "tetrahedral", "transparent",  "triangular",  "trapezoidal",
    "vertical"};

constexpr std::array colours = {
    "AMBER",  "AQUA",    "BLACK", "BLUE",   "BRONZE", "BROWN",  "CHARCOAL", "COBALT",
    "COPPER", "CRIMSON", "CYAN",  "GOLD",   "GRAY",   "GREEN",  "IVORY",    "JADE",
    "MAROON", "MAUVE",   "NAVY",  "OLIVE",  "ONYX",   "ORANGE", "PINK",     "PUCE",
    "PURPLE", "RED",     "ROSE",  "SILVER", "TEAL",   "VIOLET", "WHITE",    "YELLOW"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<void> check_addon_name(std::string_view name) {
  const bool fits = name.size() >= 2 && name.size() <= 100 && is_letter(name.front()) &&
                    std::ranges::all_of(name, [](char c) {
                      return is_letter(c) || is_digit(c) || c == '-' || c == '_';
                    });
  if (!fits || is_uuid(name))
    return fail(Kind::invalid,
                "An add-on's name must begin with a letter and be 2 to 100 letters, digits, dashes "
                "and underscores.");
  return {};
}

std::string made_up_addon_name(std::string_view service) {
  if (service.starts_with("heroku-")) service.remove_prefix(7);
  return fmt::format("{}-{}-{:05}", service, adjectives[random_below(adjectives.size())],
                     random_below(100'000));
}

Result<std::string> attachment_name(std::string_view given) {
  const auto name = text::upper(text::replace_all(std::string(given), "-", "_"));
  if (!is_var_name(name) || name.size() > 100)
    return fail(Kind::invalid,
                fmt::format("\"{}\" cannot be an attachment's name. Begin with a letter, and use "
                            "letters, digits and underscores.",
                            text::printable(given.substr(0, 100))));
  return name;
}

std::vector<std::string> coloured_names(const Manifest& manifest) {
  std::vector<std::string> names;
  for (const auto* colour : colours) names.push_back(manifest.prefix + "_" + colour);
  for (std::size_t i = names.size(); i > 1; --i) std::swap(names[i - 1], names[random_below(i)]);
  for (int number = 1; number <= 200; ++number)
    names.push_back(fmt::format("{}_{}", manifest.prefix, number));
  return names;
}

std::string var_on(std::string_view attachment, const Manifest& manifest, std::string_view var) {
  return std::string(attachment) + std::string(var.substr(manifest.prefix.size()));
}

}  // namespace renga::addons

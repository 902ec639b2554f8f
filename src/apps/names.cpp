#include "apps/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/random.h"

namespace renga::apps {
namespace {

// At most ten letters each, so that with the digits no name passes thirty characters.
constexpr std::array adjectives = {
    "agile",    "amber",  "ancient", "arctic",  "autumn",  "azure",    "blooming",  "bold",
    "brave",    "breezy", "bright",  "brisk",   "calm",    "candid",   "clear",     "cloudy",
    "cool",     "coral",  "cosmic",  "crimson", "crisp",   "damp",     "dawn",      "deep",
    "dry",      "dusky",  "eager",   "early",   "fading",  "fair",     "fierce",    "floating",
    "fluffy",   "fresh",  "frosty",  "gentle",  "glacial", "golden",   "green",     "guarded",
    "hidden",   "hollow", "humble",  "icy",     "immense", "indigo",   "ivory",     "jade",
    "jolly",    "keen",   "kind",    "late",    "limpid",  "lively",   "lofty",     "lucid",
    "lunar",    "mellow", "mighty",  "misty",   "morning", "mossy",    "murmuring", "narrow",
    "nimble",   "noble",  "obscure", "pale",    "patient", "peaceful", "pearly",    "plain",
    "polar",    "proud",  "pure",    "quiet",   "radiant", "rapid",    "rocky",     "rolling",
    "rustic",   "safe",   "salty",   "serene",  "shady",   "sharp",    "shining",   "silent",
    "silver",   "sleepy", "smooth",  "snowy",   "soft",    "solar",    "spring",    "starry",
    "steady",   "stormy", "still",   "summer",  "sunny",   "swift",    "tall",      "tranquil",
    "twilight", "vast",   "velvet",  "violet",  "warm",    "wild",     "windy",     "winter"};

constexpr std::array nouns = {
    "atoll",    "bay",    "beach",   "bird",    "bloom",    "breeze",  "brook",  "bush",   "canyon",
    "cave",     "cedar",  "cliff",   "cloud",   "coast",    "cove",    "creek",  "dale",   "delta",
    "dew",      "dune",   "dust",    "earth",   "falls",    "feather", "fern",   "field",  "fire",
    "fjord",    "flower", "fog",     "forest",  "fountain", "garden",  "glade",  "glen",   "grass",
    "grove",    "harbor", "haze",    "heath",   "hill",     "horizon", "island", "lagoon", "lake",
    "leaf",     "ledge",  "marsh",   "meadow",  "mesa",     "mist",    "moon",   "moor",   "moss",
    "mountain", "oasis",  "ocean",   "orchard", "path",     "peak",    "pebble", "pine",   "plain",
    "plateau",  "pond",   "prairie", "rain",    "ravine",   "reef",    "ridge",  "river",  "sea",
    "sequoia",  "shadow", "shore",   "sierra",  "sky",      "slope",   "snow",   "sound",  "spire",
    "spruce",   "star",   "stone",   "stream",  "summit",   "sun",     "surf",   "tide",   "trail",
    "tundra",   "valley", "water",   "wave",    "willow",   "wood"};

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class List>
auto pick(const List& list) {
  return list[random_below(list.size())];
}

}  // namespace

Result<void> check_name(std::string_view name) {
  if (name.size() < 3) return fail(Kind::invalid, "Name is too short (minimum is 3 characters).");
  if (name.size() > 30) return fail(Kind::invalid, "Name is too long (maximum is 30 characters).");
  const bool characters =
      std::ranges::all_of(name, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
  if (!characters || !is_letter(name.front()) || name.back() == '-')
    return fail(Kind::invalid,
                "Name must start with a letter, end with a letter or digit and can only contain "
                "lowercase letters, digits, and dashes.");
  return {};
}

std::string made_up_name() {
  return fmt::format("{}-{}-{:05}", pick(adjectives), pick(nouns), random_below(100'000));
}

}  // namespace renga::apps

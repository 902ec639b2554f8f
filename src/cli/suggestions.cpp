#include "cli/suggestions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"

namespace renga::cli {
namespace {

struct Alias {
  std::string_view name, command;
};

constexpr std::array aliases = {
    Alias{"apps:delete", "apps:destroy"},
    Alias{"apps:list", "apps"},
    Alias{"apps:maintenance", "maintenance"},
    Alias{"apps:stacks", "stack"},
    Alias{"apps:stacks:set", "stack:set"},
    Alias{"auth:login", "login"},
    Alias{"auth:logout", "logout"},
    Alias{"config:add", "config:set"},
    Alias{"config:remove", "config:unset"},
    Alias{"create", "apps:create"},
    Alias{"destroy", "apps:destroy"},
    Alias{"dyno:kill", "ps:stop"},
    Alias{"dyno:resize", "ps:type"},
    Alias{"dyno:restart", "ps:restart"},
    Alias{"dyno:scale", "ps:scale"},
    Alias{"dyno:stop", "ps:stop"},
    Alias{"info", "apps:info"},
    Alias{"join", "apps:join"},
    Alias{"labs:list", "labs"},
    Alias{"leave", "apps:leave"},
    Alias{"list", "apps"},
    Alias{"open", "apps:open"},
    Alias{"ps:kill", "ps:stop"},
    Alias{"ps:resize", "ps:type"},
    Alias{"releases:list", "releases"},
    Alias{"rename", "apps:rename"},
    Alias{"resize", "ps:type"},
    Alias{"restart", "ps:restart"},
    Alias{"rollback", "releases:rollback"},
    Alias{"scale", "ps:scale"},
    Alias{"sharing", "access"},
    Alias{"sharing:add", "access:add"},
    Alias{"sharing:remove", "access:remove"},
    Alias{"stop", "ps:stop"},
    Alias{"twofactor", "auth:2fa"},
    Alias{"whoami", "auth:whoami"},
};

// Two slips of the fingers, but not so many that nothing of a short word is left.
std::size_t forgiven(std::string_view word) { return word.size() < 4 ? 1 : 2; }

std::string_view topic_of(std::string_view name) { return name.substr(0, name.find(':')); }

}  // namespace

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] =
          std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before = std::exchange(row, next);
  }
  return row[b.size()];
}

std::string suggestion_for(std::span<const Command> commands, std::string_view name) {
  std::string_view nearest;
  auto least = forgiven(name) + 1;
  for (const auto& command : commands) {
    if (const auto far = distance(name, command.name); far < least) {
      least = far;
      nearest = command.name;
    }
  }
  if (!nearest.empty()) return fmt::format("Did you mean {}?", nearest);

  std::vector<std::string> siblings;
  for (const auto& command : commands)
    if (!command.hidden && topic_of(command.name) == topic_of(name))
      siblings.emplace_back(command.name);
  if (siblings.empty()) return "See `renga help`.";
  return fmt::format("There are: {}.", text::join(siblings, ", "));
}

std::string suggestion_for_flag(std::span<const Flag> flags, std::string_view word) {
  if (!word.starts_with("--")) return {};
  word = word.substr(2, word.find('=') - 2);
  for (const auto& flag : flags)
    if (distance(word, flag.name) <= forgiven(word) ||
        (word.size() > 2 && flag.name.starts_with(word)))
      return fmt::format(" Did you mean --{}?", flag.name);
  return {};
}

std::string_view without_alias(std::string_view name) {
  const auto found = std::ranges::find(aliases, name, &Alias::name);
  return found == aliases.end() ? name : found->command;
}

}  // namespace renga::cli

#include "apps/config_vars.h"

#include <algorithm>

#include "base/text.h"

namespace renga::apps {
namespace {

constexpr std::size_t size_limit = 64 * 1024;
constexpr std::size_t shown_name = 80;  // of a name that is quoted in a message

bool starts_a_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string quoted(const std::string& name) {
  return "'" + text::printable(name.substr(0, shown_name)) + (name.size() > shown_name ? "…" : "") +
         "'";
}

// Only what a POSIX shell can hold: buildpacks and .profile.d scripts read vars as `$NAME`, and a
// build gives each as a file of that name.
Result<void> check(const std::string& name, const std::string& value) {
  if (name.empty())
    return fail(Kind::invalid,
                "A config var has an empty name. Give each a name, as in KEY=value.");

  const auto refuse = [&](std::string_view why) {
    return fail(Kind::invalid, "The config var name " + quoted(name) + " " + std::string(why) +
                                   " Use letters, digits and underscores, and no digit first.");
  };
  if (name.contains('\0')) return refuse("has a NUL byte in it.");
  if (name.contains('=')) return refuse("has an equals sign in it.");
  if (name.contains('-')) return refuse("has a hyphen in it, which no shell can read.");
  if (is_digit(name.front())) return refuse("starts with a digit.");
  if (!std::ranges::all_of(name, [](char c) { return starts_a_name(c) || is_digit(c); }))
    return refuse("has a character in it that no shell can read.");

  if (value.contains('\0'))
    return fail(Kind::invalid, "The value of the config var " + quoted(name) +
                                   " has a NUL byte in it, which no environment can hold. "
                                   "Encode it, for instance as base64.");
  return {};
}

}  // namespace

Result<ConfigVars> apply(ConfigVars vars, const ConfigChanges& changes) {
  for (const auto& [name, value] : changes) {
    if (value) {
      TRY(check(name, *value));
      vars[name] = *value;
    } else {
      vars.erase(name);
    }
  }

  std::size_t size = 0;
  for (const auto& [name, value] : vars) size += name.size() + value.size();
  if (size > size_limit) {
    const auto largest = std::ranges::max_element(
        vars, {}, [](const auto& var) { return var.first.size() + var.second.size(); });
    return fail(Kind::invalid,
                "The names and values of an app's config vars may take 65536 bytes altogether, and "
                "these would take " +
                    std::to_string(size) + "; the largest is " + quoted(largest->first) + " with " +
                    std::to_string(largest->second.size()) +
                    " bytes. Keep large values in a file or a store.");
  }
  return vars;
}

}  // namespace renga::apps

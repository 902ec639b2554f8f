#include "cli/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace renga::cli {
namespace {

constexpr std::string_view stars = "********";

// Where the password of "scheme://user:password@host" begins and how long it is.
std::optional<std::pair<std::size_t, std::size_t>> password_in(std::string_view value) {
  const auto scheme = value.find("://");
  if (scheme == value.npos) return std::nullopt;
  const auto authority = scheme + 3;
  const auto end = std::min(value.find_first_of("/?#", authority), value.size());
  const auto at = value.substr(0, end).rfind('@');
  if (at == value.npos || at < authority) return std::nullopt;
  const auto colon = value.find(':', authority);
  if (colon == value.npos || colon >= at) return std::nullopt;
  return std::pair(colon + 1, at - colon - 1);
}

// Reads the value of one assignment; `at` is behind the '=' before, and behind the value after.
std::optional<std::string> word_at(std::string_view text, std::size_t& at) {
  std::string word;
  for (; at < text.size() && text[at] != '\n'; ++at) {
    const char c = text[at];
    if (c == '\'') {
      const auto end = text.find('\'', at + 1);
      if (end == text.npos) return std::nullopt;
      word += text.substr(at + 1, end - at - 1);
      at = end;
    } else if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        const bool escaped =
            text[at] == '\\' && at + 1 < text.size() &&
            std::string_view("\"\\$`").find(text[at + 1]) != std::string_view::npos;
        word += text[at += escaped ? 1 : 0];
      }
      if (at >= text.size()) return std::nullopt;
    } else if (c == '\\' && at + 1 < text.size() && text[at + 1] != '\n') {
      word += text[++at];
    } else if (c == ' ' || c == '\t' || c == '\r') {
      // The end of the word; nothing but spaces and a comment may follow.
      const auto end = std::min(text.find('\n', at), text.size());
      const auto rest = text::trim(text.substr(at, end - at));
      if (!rest.empty() && !rest.starts_with('#')) return std::nullopt;
      at = end;
      break;
    } else {
      word += c;
    }
  }
  return word;
}

}  // namespace

std::string shell_lines(const Vars& vars) {
  std::string lines;
  for (const auto& [name, value] : vars)
    lines += fmt::format("{}={}\n", name, text::shell_quote(value));
  return lines;
}

Result<Vars> parse_shell_lines(std::string_view text) {
  Vars vars;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text::trim(text.substr(at, end - at));
    if (line.empty() || line.starts_with('#')) {
      at = end + 1;
      continue;
    }
    const auto number = 1 + std::ranges::count(text.substr(0, at), '\n');
    const auto equals = text.find('=', at);
    const auto name = equals >= end ? "" : text::trim(text.substr(at, equals - at));
    if (name.empty()) return fail(Kind::invalid, fmt::format("Line {} is not NAME=value.", number));
    at = equals + 1;
    auto value = word_at(text, at);
    if (!value)
      return fail(Kind::invalid, fmt::format("The value of {} in line {} is not quoted as a shell "
                                             "would have it: NAME='a value'.",
                                             text::printable(name), number));
    vars[std::string(name)] = *std::move(value);
    ++at;
  }
  return vars;
}

bool is_secret(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 8> words{"KEY",  "SECRET", "TOKEN", "PASS",
                                                  "AUTH", "CRED",   "SALT",  "PRIVATE"};
  const auto upper = text::upper(name);
  return password_in(value) || std::ranges::any_of(words, [&](std::string_view word) {
           return upper.find(word) != upper.npos;
         });
}

std::string masked(std::string_view name, std::string_view value) {
  if (const auto password = password_in(value)) {
    std::string shown(value);
    return shown.replace(password->first, password->second, stars);
  }
  return std::string(is_secret(name, value) && !value.empty() ? stars : value);
}

}  // namespace renga::cli

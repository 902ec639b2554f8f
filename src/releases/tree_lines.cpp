#include "releases/tree_lines.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"

namespace renga::releases {
namespace {

constexpr std::size_t digits = 64;  // of a SHA-256

std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name)
    if (c == '%' || c == '\t' || c == '\n')
      out += fmt::format("%{:02X}", static_cast<unsigned>(c));
    else
      out += c;
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ec == std::errc()) {
      out += static_cast<char>(code);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_plain(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos;
}

bool is_kind(char letter) {
  using enum TreeEntry::Kind;
  return letter == static_cast<char>(tree) || letter == static_cast<char>(file) ||
         letter == static_cast<char>(link);
}

}  // namespace

std::string line_of(const TreeEntry& entry) {
  return fmt::format("{}\t{}\t{}\n", static_cast<char>(entry.kind), escaped(entry.what),
                     escaped(entry.name));
}

std::optional<std::vector<TreeEntry>> entries_of(std::string_view bytes) {
  std::vector<TreeEntry> all;
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    if (end == bytes.npos) return std::nullopt;
    const auto parts = text::split(bytes.substr(0, end), '\t');
    bytes.remove_prefix(end + 1);
    if (parts.size() != 3 || parts[0].size() != 1 || !is_kind(parts[0][0])) return std::nullopt;
    TreeEntry entry{static_cast<TreeEntry::Kind>(parts[0][0]), unescaped(parts[1]),
                    unescaped(parts[2])};
    if (!is_plain(entry.name)) return std::nullopt;
    if (entry.kind != TreeEntry::Kind::link &&
        (entry.what.size() <= digits || entry.what[digits] != '-' || !is_plain(entry.what)))
      return std::nullopt;
    all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace renga::releases

#include "builds/slugignore.h"

#include <optional>

#include "base/text.h"

namespace renga::builds {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_patterns = 1'000;

// Reads one element of a glob at `at` and says whether `c` fits it; moves `at` behind it. An
// unclosed bracket is an ordinary character.
bool element_matches(std::string_view glob, std::size_t& at, char c) {
  const char kind = glob[at++];
  if (kind == '?') return true;
  if (kind == '\\' && at < glob.size()) return glob[at++] == c;
  if (kind != '[') return kind == c;

  auto next = at;
  const bool negated = next < glob.size() && (glob[next] == '!' || glob[next] == '^');
  if (negated) ++next;
  bool found = false;
  for (bool first = true; next < glob.size() && (first || glob[next] != ']'); first = false) {
    const char low = glob[next++];
    char high = low;
    if (next + 1 < glob.size() && glob[next] == '-' && glob[next + 1] != ']') {
      high = glob[next + 1];
      next += 2;
    }
    if (low <= c && c <= high) found = true;
  }
  if (next >= glob.size()) return c == '[';
  at = next + 1;
  return found != negated;
}

using Names = std::vector<std::string_view>;

// Row by row over the pattern's names, so that several "**" cost a product and not a power.
bool names_match(const std::vector<std::string>& pattern, const Names& path) {
  std::vector<bool> reached(path.size() + 1, false);  // that many names of the path are matched
  reached[0] = true;
  for (const auto& glob : pattern) {
    std::vector<bool> next(path.size() + 1, false);
    if (glob == "**") {
      bool any = false;
      for (std::size_t i = 0; i <= path.size(); ++i) next[i] = any = any || reached[i];
    } else {
      for (std::size_t i = 0; i < path.size(); ++i)
        next[i + 1] = reached[i] && glob_matches(glob, path[i]);
    }
    reached = std::move(next);
  }
  return reached[path.size()];
}

}  // namespace

bool glob_matches(std::string_view glob, std::string_view name) {
  std::size_t at = 0, read = 0;
  // Where to go on when what follows the last star does not fit: one character further. An earlier
  // star never has to be tried again, since the later one can take up whatever it would.
  std::optional<std::pair<std::size_t, std::size_t>> star;
  while (read < name.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = {++at, read};
      continue;
    }
    auto next = at;
    if (at < glob.size() && element_matches(glob, next, name[read])) {
      at = next;
      ++read;
      continue;
    }
    if (!star) return false;
    at = star->first;
    read = ++star->second;
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

Slugignore Slugignore::parse(std::string_view text) {
  Slugignore ignore;
  for (const auto raw : text::lines(text)) {
    auto line = text::trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('!') || ignore.patterns_.size() == most_patterns) {
      ignore.skipped_.emplace_back(line);
      continue;
    }
    Pattern pattern;
    if (line.ends_with('/')) {
      pattern.directories_only = true;
      line.remove_suffix(1);
    }
    const bool anchored = line.find('/') != std::string_view::npos;
    if (!anchored) pattern.names.emplace_back("**");
    for (const auto name : text::split(line, '/'))
      if (!name.empty() && name != ".") pattern.names.emplace_back(name);
    // "/" alone would be the whole app.
    if (pattern.names.empty() || (!anchored && pattern.names.size() == 1)) continue;
    ignore.patterns_.push_back(std::move(pattern));
  }
  return ignore;
}

bool Slugignore::matches(std::string_view path, Entry entry) const {
  const auto names = text::split(path, '/');
  for (const auto& pattern : patterns_) {
    if (pattern.directories_only && entry != Entry::directory) continue;
    if (names_match(pattern.names, names)) return true;
  }
  return false;
}

std::size_t Slugignore::apply(const fs::path& top) const {
  if (empty()) return 0;
  std::size_t removed = 0;
  std::vector<fs::path> doomed;
  for (auto at = fs::recursive_directory_iterator(top); at != fs::recursive_directory_iterator();
       ++at) {
    const bool directory = at->symlink_status().type() == fs::file_type::directory;
    const auto path = at->path().lexically_relative(top).generic_string();
    if (!matches(path, directory ? Entry::directory : Entry::file)) continue;
    if (directory) at.disable_recursion_pending();
    doomed.push_back(at->path());
  }
  for (const auto& path : doomed) {
    fs::remove_all(path);
    ++removed;
  }
  return removed;
}

}  // namespace renga::builds

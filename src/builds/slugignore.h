// .slugignore: files of the source that no build and no dyno needs. One pattern a line, as in
// .gitignore: `*` and `?` stay within a name, `**` spans directories, a '/' before the end ties the
// pattern to the top, one at the end matches directories only, '#' starts a comment. There is no
// negation.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace renga::builds {

class Slugignore {
 public:
  // Lines that cannot be used (negations) are left out and listed in `skipped`.
  static Slugignore parse(std::string_view text);

  // `path`: relative to the top, with '/' between its names.
  enum class Entry { file, directory };
  bool matches(std::string_view path, Entry entry) const;

  // Takes away what matches below `top`, without following links. How many files and directories
  // went. Nobody else may change the tree meanwhile.
  std::size_t apply(const std::filesystem::path& top) const;

  bool empty() const { return patterns_.empty(); }
  const std::vector<std::string>& skipped() const { return skipped_; }

 private:
  struct Pattern {
    std::vector<std::string> names;  // "**" stands for any number of directories
    bool directories_only = false;
  };
  std::vector<Pattern> patterns_;
  std::vector<std::string> skipped_;
};

// One name against one glob: `*`, `?`, `[a-z]`, `[!a-z]` and `\`. Takes time in proportion to both
// lengths, whatever the glob: it is a stranger's.
bool glob_matches(std::string_view glob, std::string_view name);

}  // namespace renga::builds

// What is in one directory of a slug, as text: one line an entry, sorted by name: its kind, a tab,
// what it is, a tab, its name. Names are bytes; "%", tab and line end are written as %25, %09 and
// %0A. Private to this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::releases {

struct TreeEntry {
  enum class Kind : char { tree = 't', file = 'f', link = 'l' };
  Kind kind;
  // A tree's SHA-256 and the directory's mode ("<sha256>-755"), a file's object, where a link
  // leads.
  std::string what;
  std::string name;
};

std::string line_of(const TreeEntry& entry);
// Nothing for bytes that line_of() has not written.
std::optional<std::vector<TreeEntry>> entries_of(std::string_view bytes);
// The entries of a tree that is kept among `objects`, when they are what its name says.
// Kind::not_found when it is missing or damaged.
Result<std::vector<TreeEntry>> read_tree(int objects, const std::string& tree);

}  // namespace renga::releases

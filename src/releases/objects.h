// Objects: the files of all slugs, each content once, as git keeps its own: a directory is an
// object that lists names, a file is one by its content. What slugs have in common (an interpreter,
// packages) is on the disk once, whatever the apps, and a slug is the name of its top directory.
// Private to this room. Blocking. make() and has() may run at any time; keep() and sweep() each
// alone among themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace renga::releases {

struct TreeLimits {
  std::int64_t bytes = 1500LL << 20;
  std::int64_t entries = 1'000'000;
  static TreeLimits none() { return {INT64_MAX, INT64_MAX}; }
};

class Objects {
 public:
  // `owner` of files: see tidy().
  Objects(std::filesystem::path directory, int owner);

  struct Kept {
    std::string tree;        // SHA-256 in hexadecimal
    std::int64_t bytes = 0;  // of its files
  };
  // Keeps a tidy tree that nobody changes any more, and makes it anew of links to objects, so that
  // it can be what dynos run from; what it was is at leftovers_of() it. On the disk, synced, when
  // it returns; what was added before it failed is taken back. Kind::too_large past the limits.
  Result<Kept> keep(const std::filesystem::path& directory, const TreeLimits& limits);
  bool has(const std::string& tree) const;
  // Makes the tree at `target`, which is not there yet, of links; every byte is checked. Kind::
  // not_found says which file is damaged or missing.
  Result<void> make(const std::string& tree, const std::filesystem::path& target) const;
  // Removes what none of these trees needs. Killed in between, it leaves only too much.
  void sweep(const std::set<std::string>& trees);

 private:
  const std::filesystem::path path_;
  const int owner_;
  const os::Fd directory_;
};

}  // namespace renga::releases

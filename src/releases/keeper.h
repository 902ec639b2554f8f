// Keeper: keeps one tree as objects, and makes the tree of links that dynos run from. Private to
// this room; of one thread, which works with helpers of its own.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/locked.h"
#include "base/result.h"
#include "releases/objects.h"
#include "releases/shared_work.h"

namespace renga::releases {

class Keeper {
 public:
  // `objects`: the directory of them, which outlives this.
  Keeper(int objects, int owner, const TreeLimits& limits);
  // Whoever finds an object later must find it whole, and synced: takes back what was not.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Returns the tree's SHA-256. `target`, an empty directory, gets what `directory` has, which is
  // good for nothing afterwards.
  Result<std::string> keep(int directory, int target, std::size_t depth = 0);
  void sync(const std::filesystem::path& path);
  std::int64_t bytes() const { return bytes_; }

 private:
  enum class Replace { no, yes };
  Result<std::string> keep_directory(const struct stat& status, int directory, int target,
                                     const std::string& name, std::size_t depth);
  Result<std::string> keep_file(int directory, int target, const std::string& name);
  void add(int directory, const std::string& name, int file, const std::string& object,
           const struct stat& status, bool becomes_it, Replace replace);
  std::string keep_lines(std::string_view lines);
  bool put(int from, const std::string& name, const std::string& object, Replace replace);

  const int objects_;
  const int owner_;
  const TreeLimits limits_;
  std::atomic<std::int64_t> bytes_ = 0;
  std::int64_t entries_ = 0;
  Locked<std::vector<std::string>> added_;  // and not synced yet
  SharedWork work_;                         // last: its threads use all of the above
};

}  // namespace renga::releases

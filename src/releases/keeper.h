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

  // A directory, as it is seen and in the two places where what is in it may lie; -1: not there.
  struct Place {
    int seen, written, below;
  };
  // Returns the tree's SHA-256. `target`, an empty directory, gets what is seen. What was written
  // is good for nothing afterwards. What lies below is not read where it is the very object that
  // `like`, a tree that is kept or was, has at its place.
  Result<std::string> keep(const Place& place, int target, const std::string& like) {
    return keep(place, target, like, 0, Helpers::yes);
  }
  void sync(const std::filesystem::path& path);
  std::int64_t bytes() const { return bytes_; }

 private:
  enum class Replace { no, yes };
  enum class Helpers { no, yes };
  // What may be done with a file: of what was written it is moved, of what lies below linked.
  enum class Origin { written, below, elsewhere };
  struct Found {
    Origin origin;
    int directory;
    struct stat status;
  };
  static Found find(const Place& place, const std::string& name);
  Result<std::string> keep(const Place& place, int target, const std::string& like,
                           std::size_t depth, Helpers helpers);
  Result<std::string> keep_directory(const Place& place, const Found& found, int target,
                                     const std::string& name, const std::string& like,
                                     std::size_t depth, Helpers helpers);
  // Whether it was done already: the file is this object.
  bool link_known(const Found& found, int target, const std::string& name,
                  const std::string& object);
  Result<std::string> keep_file(const Found& found, int target, const std::string& name);
  Result<void> count(std::int64_t size);
  void add(const Found& found, const std::string& name, int file, const std::string& object,
           bool becomes_it, Replace replace);
  // Makes a file that lies below a link to the object that is the same.
  void become(const Found& found, const std::string& name, const std::string& object);
  std::string keep_lines(std::string_view lines);
  bool put(Origin origin, int from, const std::string& name, const std::string& object,
           Replace replace);

  const int objects_;
  const int owner_;
  const TreeLimits limits_;
  std::atomic<std::int64_t> bytes_ = 0;
  std::atomic<std::int64_t> entries_ = 0;
  Locked<std::vector<std::string>> added_;  // and not synced yet
  SharedWork work_;                         // last: its threads use all of the above
};

}  // namespace renga::releases

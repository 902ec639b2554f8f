// A file's object is the file itself: a hard link, so that nothing is copied or unpacked, neither
// when a slug is made (keeper.cpp) nor when a dyno starts. What links share is more than bytes: the
// mode, and the time. So an object's name is its SHA-256, its mode and, for sources whose compiled
// code is checked by their time, that: "<sha256>-644", "<sha256>-644-1767225600". Of others the
// first time counts, which is when this content came up. All objects have one owner. A file with
// extended attributes or a second name is copied: the object has the bytes, and nothing else of it.
//
// Small files are objects too, but what dynos run from has copies of them: see is_small().
#include "releases/objects.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "os/file.h"
#include "os/mount.h"
#include "releases/keeper.h"
#include "releases/layers.h"
#include "releases/object_files.h"
#include "releases/tree.h"
#include "releases/tree_lines.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t largest_tree = 256LL << 20;

std::unexpected<Error> damaged(std::string_view object) {
  return fail(Kind::not_found,
              fmt::format("its file {} is missing or damaged", object.substr(0, 12)));
}

// Nothing when it is not there: whatever else keeps it from being read says nothing of it.
os::Fd open_object(int objects, const std::string& object) {
  auto file = open_file(objects, object);
  if (!file && errno != ENOENT) fault("open the object " + object);
  return file;
}

class Maker {
 public:
  Maker(int objects, int owner) : objects_(objects), owner_(owner) {}

  Result<void> make(const std::string& tree, int directory) {
    for (const auto& [kind, what, name] : TRY(read_tree(objects_, tree))) {
      if (kind == TreeEntry::Kind::tree) {
        if (mkdirat(directory, name.c_str(), 0700) != 0) fault("make " + name);
        give(directory, name, owner_);
        const auto below = open_directory(directory, name);
        if (!below) fault("open " + name);
        TRY(make(what.substr(0, digits), below.get()));
        if (fchmod(below.get(), mode_in(what)) != 0) fault("chmod " + name);
      } else if (kind == TreeEntry::Kind::link) {
        if (symlinkat(what.c_str(), directory, name.c_str()) != 0) fault("make " + name);
        give(directory, name, owner_);
      } else {
        TRY(make_file(directory, name, what));
      }
    }
    return {};
  }

 private:
  Result<void> make_file(int directory, const std::string& name, const std::string& object) {
    const auto file = open_object(objects_, object);
    if (!file) return damaged(object);
    if (digest_of(file.get(), object) != object.substr(0, digits)) {
      // The next slug with this content brings it again.
      unlinkat(objects_, object.c_str(), 0);
      return damaged(object);
    }
    const auto status = repaired(file.get(), object, owner_);
    if (!is_small(status.st_size)) {
      if (linkat(objects_, object.c_str(), directory, name.c_str(), 0) == 0) return {};
      if (errno == ENOENT) return damaged(object);
      if (errno != EMLINK) fault("link " + name);
    }
    copy_file(file.get(), directory, name, mode_in(object), owner_, status.st_mtim);
    return {};
  }

  const int objects_;
  const int owner_;
};

os::Fd made_directory(const fs::path& path) {
  fs::create_directories(path);
  fs::permissions(path, fs::perms::owner_all);
  os::Fd opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) fault("open " + path.string());
  return opened;
}

// The tree that a directory below was kept in last, and among which objects.
fs::path kept_as(fs::path lower) { return lower += ".kept"; }
std::pair<std::string, std::string> last_kept(const fs::path& lower) {
  const auto text = os::read_file(kept_as(lower)).value_or("");
  const auto [tree, objects] = text::split_once(text, ' ');
  return {std::string(tree), std::string(objects)};
}

bool has_objects(int objects, const std::string& tree, int lower) {
  const auto entries = read_tree(objects, tree);
  if (!entries) return false;
  return std::ranges::all_of(*entries, [&](const TreeEntry& entry) {
    if (entry.kind == TreeEntry::Kind::file)
      return faccessat(objects, entry.what.c_str(), F_OK, 0) == 0;
    if (entry.kind == TreeEntry::Kind::link) return true;
    // What the build made is made again.
    const auto below = open_directory(lower, entry.name);
    return !below || has_objects(objects, entry.what.substr(0, digits), below.get());
  });
}

// An empty directory, ready to be filled.
os::Fd made_target(const fs::path& target, int owner) {
  fs::create_directory(target);
  give(AT_FDCWD, target.string(), owner);
  os::Fd top(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) fault("open " + target.string());
  return top;
}

}  // namespace

Result<std::vector<TreeEntry>> read_tree(int objects, const std::string& tree) {
  const auto object = tree + std::string(tree_suffix);
  const auto file = open_object(objects, object);
  if (!file) return damaged(object);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fault("read the object " + object);
  std::string bytes;
  if (status.st_size <= largest_tree)
    read_whole(file.get(), object, [&](std::string_view piece) { bytes += piece; });
  if (crypto::sha256(bytes) != tree) {
    // The next slug with this directory brings it again.
    unlinkat(objects, object.c_str(), 0);
    return damaged(object);
  }
  auto entries = entries_of(bytes);
  if (!entries) return damaged(object);
  return *std::move(entries);
}

os::Fd view_of(int lower, int upper) {
  return names_in(upper).empty() ? os::Fd() : os::view_of_overlay(lower, upper);
}

bool is_whole(const fs::path& lower) {
  const auto [tree, objects] = last_kept(lower);
  if (tree.empty()) return true;
  // Not there any more where the data directory was moved.
  const os::Fd opened(::open(objects.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened &&
         has_objects(opened.get(), tree, os::open_file(lower, O_RDONLY | O_DIRECTORY).get());
}

Objects::Objects(fs::path directory, int owner)
    : path_(std::move(directory)), owner_(owner), directory_(made_directory(path_)) {}

Result<Objects::Kept> Objects::keep(const fs::path& directory, const TreeLimits& limits) {
  const auto lower = lower_of(directory);
  const auto was = leftovers_of(directory);
  fs::rename(directory, was);
  const auto written = os::open_file(was, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  os::Fd below, seen;
  Keeper::Place place{written.get(), written.get(), -1};
  if (lower) {
    below = os::open_file(*lower, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    seen = view_of(below.get(), written.get());
    place = seen ? Keeper::Place{seen.get(), written.get(), below.get()}
                 : Keeper::Place{below.get(), -1, below.get()};
  }
  Keeper keeper(directory_.get(), owner_, limits);
  const auto like = lower ? last_kept(*lower).first : "";
  auto tree = TRY(keeper.keep(place, made_target(directory, owner_).get(), like));
  keeper.sync(path_);
  if (lower) os::replace_file(kept_as(*lower), tree + ' ' + path_.string(), 0600);
  return Kept{std::move(tree), keeper.bytes()};
}

bool Objects::has(const std::string& tree) const {
  return !tree.empty() &&
         faccessat(directory_.get(), (tree + std::string(tree_suffix)).c_str(), F_OK, 0) == 0;
}

Result<void> Objects::make(const std::string& tree, const fs::path& target) const {
  return Maker(directory_.get(), owner_).make(tree, made_target(target, owner_).get());
}

void Objects::sweep(const std::set<std::string>& trees) {
  std::unordered_set<std::string> needed;
  std::vector<std::string> left(trees.begin(), trees.end());
  while (!left.empty()) {
    auto tree = std::move(left.back());
    left.pop_back();
    if (!needed.insert(tree + std::string(tree_suffix)).second) continue;
    const auto entries = read_tree(directory_.get(), tree);
    if (!entries) continue;  // whoever runs it is told
    for (const auto& entry : *entries) {
      if (entry.kind == TreeEntry::Kind::tree) left.push_back(entry.what.substr(0, digits));
      if (entry.kind == TreeEntry::Kind::file) needed.insert(entry.what);
    }
  }
  for (const auto& name : names_in(directory_.get()))
    if (!needed.contains(name) && unlinkat(directory_.get(), name.c_str(), 0) != 0)
      fault("remove the object " + name);
}

}  // namespace renga::releases

// The caller's thread walks through the tree; the files of a directory are everybody's, and so are
// whole directories that need little but links, of which a directory takes one at a time.
//
// New files are moved, and not copied, whatever their size. The directory that dynos run from is
// made beside the build's: a link takes a third of the time of putting one in a file's place, which
// ends the file, and what is left of the build's directory goes when nobody waits any more.
//
// What lies below was a link to an object already when the app's last slug was kept: then it is the
// same file, which is quicker to see than to read it. Where a file is, the kernel's own overlay
// says: by its path if it was written, by its inode if it lies below.
#include "releases/keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <optional>
#include <unordered_map>

#include "base/fault.h"
#include "crypto/digest.h"
#include "os/file.h"
#include "releases/archive_names.h"
#include "releases/object_files.h"
#include "releases/tree.h"
#include "releases/tree_lines.h"

namespace renga::releases {
namespace {

// With no directory in it, where a file system tells.
bool is_leaf(const struct stat& directory) { return directory.st_nlink <= 2; }

// Are synced one by one; more, with the whole file system, where others' files wait as well, and
// those that a build has only for a moment.
constexpr std::size_t few_objects = 256;

}  // namespace

Keeper::Keeper(int objects, int owner, const TreeLimits& limits)
    : objects_(objects), owner_(owner), limits_(limits), work_(SharedWork::for_files()) {}

Keeper::~Keeper() {
  for (const auto& name : *added_.lock()) unlinkat(objects_, name.c_str(), 0);
}

Keeper::Found Keeper::find(const Place& place, const std::string& name) {
  Found found{Origin::written, place.written, {}};
  const auto is_in = [&](int directory, struct stat& status) {
    return directory >= 0 && fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  };
  if (is_in(place.written, found.status)) return found;
  struct stat seen {};
  if (is_in(place.below, found.status) &&
      (place.seen == place.below ||
       (is_in(place.seen, seen) && seen.st_ino == found.status.st_ino))) {
    found.origin = Origin::below;
    found.directory = place.below;
    return found;
  }
  // In a directory that was renamed.
  if (!is_in(place.seen, found.status)) fault("read " + name);
  found.origin = Origin::elsewhere;
  found.directory = place.seen;
  return found;
}

Result<std::string> Keeper::keep(const Place& place, int target, const std::string& like,
                                 std::size_t depth, Helpers helpers) {
  if (depth > deepest)
    return fail(Kind::invalid,
                fmt::format("The app has more than {} directories inside each other.", deepest));
  std::unordered_map<std::string, std::string> known;
  if (place.below >= 0 && !like.empty())
    if (auto entries = read_tree(objects_, like))
      for (auto& entry : *entries)
        if (entry.kind != TreeEntry::Kind::link)
          known.emplace(std::move(entry.name), std::move(entry.what));
  const auto names = names_in(place.seen);
  std::vector<Result<std::string>> lines(names.size());
  std::optional<SharedWork::Batch> shared;
  if (helpers == Helpers::yes) shared.emplace(work_);
  const auto share = [&shared](const auto& piece) {
    if (shared)
      shared->add(piece);
    else
      piece();
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    if (++entries_ > limits_.entries)
      return fail(Kind::too_large, fmt::format("The app has more than {} files. Take some out of "
                                               "it, or name them in .slugignore.",
                                               limits_.entries));
    const auto found = find(place, name);
    const auto same = known.find(name);
    if (S_ISDIR(found.status.st_mode)) {
      auto was = same == known.end() ? "" : same->second.substr(0, digits);
      if (found.origin == Origin::below && !was.empty() && is_leaf(found.status))
        share([this, &place, found, target, &name, was = std::move(was), depth, &line = lines[i]] {
          line = keep_directory(place, found, target, name, was, depth, Helpers::no);
        });
      else
        lines[i] = TRY(keep_directory(place, found, target, name, was, depth, helpers));
    } else if (S_ISLNK(found.status.st_mode)) {
      const auto link = read_link(found.directory, name);
      if (symlinkat(link.c_str(), target, name.c_str()) != 0) fault("make " + name);
      give(target, name, owner_);
      lines[i] = line_of({TreeEntry::Kind::link, link, name});
    } else if (S_ISREG(found.status.st_mode)) {
      if (same != known.end() && link_known(found, target, name, same->second)) {
        TRY(count(found.status.st_size));
        lines[i] = line_of({TreeEntry::Kind::file, same->second, name});
        continue;
      }
      share([this, found, target, &name, &line = lines[i]] {
        line = keep_file(found, target, name);
      });
    }
  }
  if (shared) shared->finish();
  std::string all;
  for (const auto& line : lines) all += TRY(line);
  return keep_lines(all);
}

Result<std::string> Keeper::keep_directory(const Place& place, const Found& found, int target,
                                           const std::string& name, const std::string& like,
                                           std::size_t depth, Helpers helpers) {
  const auto inside = open_directory(found.directory, name);
  if (!inside) fault("open " + name);
  Place below{inside.get(), -1, -1};
  os::Fd lower, seen;
  if (found.origin == Origin::below) {
    below.below = inside.get();  // and nothing in it was changed
  } else if (found.origin == Origin::written) {
    below.written = inside.get();
    if (place.below >= 0) {
      seen = open_directory(place.seen, name);
      if (!seen) fault("open " + name);
      lower = open_directory(place.below, name);
      below = {seen.get(), inside.get(), lower ? lower.get() : -1};
    }
  }
  if (mkdirat(target, name.c_str(), 0700) != 0) fault("make " + name);
  give(target, name, owner_);
  const auto made = open_directory(target, name);
  if (!made) fault("open " + name);
  const auto tree = TRY(keep(below, made.get(), like, depth + 1, helpers));
  const mode_t mode = found.status.st_mode & 0777;
  if (fchmod(made.get(), mode) != 0) fault("chmod " + name);
  return line_of({TreeEntry::Kind::tree, fmt::format("{}-{:o}", tree, mode), name});
}

// Nothing is read: a link to an object has its content.
bool Keeper::link_known(const Found& found, int target, const std::string& name,
                        const std::string& object) {
  if (found.origin != Origin::below || is_small(found.status.st_size)) return false;
  struct stat there {};
  return fstatat(objects_, object.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
         is_same(there, found.status) && !is_amiss(there, object, owner_) &&
         linkat(objects_, object.c_str(), target, name.c_str(), 0) == 0;
}

Result<void> Keeper::count(std::int64_t size) {
  const auto bytes = bytes_ += size;
  if (bytes <= limits_.bytes) return {};
  return fail(Kind::too_large,
              fmt::format("Compiled slug size: {:.1f}M is too large (max is {}M). Take large "
                          "files out of the app, or name them in .slugignore.",
                          static_cast<double>(bytes) / (1 << 20), limits_.bytes >> 20));
}

Result<std::string> Keeper::keep_file(const Found& found, int target, const std::string& name) {
  const auto file = open_file(found.directory, name);
  if (!file) fault("open " + name);
  const auto& status = found.status;
  TRY(count(status.st_size));
  const auto object = object_name(digest_of(file.get(), name), name, status);
  const bool small = is_small(status.st_size);
  struct stat there {};
  const bool exists = fstatat(objects_, object.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
  // A disk that failed may have cut it; make() would find out.
  const bool is_whole = exists && there.st_size == status.st_size;
  if (is_whole && is_amiss(there, object, owner_))
    repaired(open_file(objects_, object).get(), object, owner_);
  const auto is_plain = [&] {
    return found.origin != Origin::elsewhere && status.st_nlink == 1 &&
           flistxattr(file.get(), nullptr, 0) == 0;
  };
  if (!is_whole)
    add(found, name, file.get(), object, !small && is_plain(), exists ? Replace::yes : Replace::no);

  // Small ones have files of their own. Neither is to be had across file systems, nor a link past
  // a file system's limit of names for one file.
  const bool is_there = small
                            ? found.origin == Origin::written && is_plain() &&
                                  renameat(found.directory, name.c_str(), target, name.c_str()) == 0
                            : linkat(objects_, object.c_str(), target, name.c_str(), 0) == 0;
  if (!is_there) copy_file(file.get(), target, name, status.st_mode & 0777, owner_, status.st_mtim);
  if (!small && found.origin == Origin::below) become(found, name, object);
  return line_of({TreeEntry::Kind::file, object, name});
}

// The file becomes the object, or, across file systems and where that must not be, its copy does.
void Keeper::add(const Found& found, const std::string& name, int file, const std::string& object,
                 bool becomes_it, Replace replace) {
  const auto& status = found.status;
  // Nobody gives a file that others share a time to come.
  const timespec now{std::time(nullptr), 0};
  const bool to_come = !is_checked_by_time(name) && status.st_mtim.tv_sec > now.tv_sec;
  if (becomes_it) {
    const timespec times[2] = {{0, UTIME_OMIT}, now};
    if (to_come && futimens(file, times) != 0) fault("set the time of " + name);
    if (put(found.origin, found.directory, name, object, replace)) return;
  }
  const auto made = unfinished_name();
  copy_file(file, objects_, made, status.st_mode & 0777, owner_, to_come ? now : status.st_mtim);
  put(Origin::written, objects_, made, object, replace);
}

void Keeper::become(const Found& found, const std::string& name, const std::string& object) {
  struct stat there {};
  if (fstatat(objects_, object.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0 ||
      is_same(there, found.status))
    return;
  const auto made = unfinished_name();
  // Not across file systems; then it is read again the next time.
  if (linkat(objects_, object.c_str(), objects_, made.c_str(), 0) == 0 &&
      renameat(objects_, made.c_str(), found.directory, name.c_str()) != 0)
    unlinkat(objects_, made.c_str(), 0);
}

std::string Keeper::keep_lines(std::string_view lines) {
  auto sha = crypto::sha256(lines);
  const auto object = sha + std::string(tree_suffix);
  struct stat there {};
  if (fstatat(objects_, object.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      there.st_size == static_cast<std::int64_t>(lines.size()))
    return sha;
  const auto made = unfinished_name();
  os::write_all(new_file(objects_, made).get(), lines, made);
  put(Origin::written, objects_, made, object, Replace::yes);
  return sha;
}

// False across file systems.
bool Keeper::put(Origin origin, int from, const std::string& name, const std::string& object,
                 Replace replace) {
  const auto flags = replace == Replace::yes ? 0U : static_cast<unsigned>(RENAME_NOREPLACE);
  int done = 0;
  if (origin == Origin::written) {
    done = renameat2(from, name.c_str(), objects_, object.c_str(), flags);
  } else {
    if (replace == Replace::yes) unlinkat(objects_, object.c_str(), 0);
    done = linkat(from, name.c_str(), objects_, object.c_str(), 0);
  }
  if (done != 0 && errno == EEXIST) {  // another thread had the same content, and was quicker
    if (origin == Origin::written) unlinkat(from, name.c_str(), 0);
    return true;
  }
  // Not every file system can refuse to replace; then the last of two equal ones stays.
  if (done != 0 && errno == EINVAL && origin == Origin::written)
    done = renameat(from, name.c_str(), objects_, object.c_str());
  if (done != 0 && errno == EXDEV) return false;
  if (done != 0) fault("keep the object " + object);
  added_.lock()->push_back(object);
  return true;
}

void Keeper::sync(const std::filesystem::path& path) {
  auto added = added_.lock();
  if (added->size() > few_objects) {
    if (syncfs(objects_) != 0) fault("sync " + path.string());
  } else if (!added->empty()) {
    // At once, so that a journal has them in one go.
    SharedWork::Batch files(work_);
    for (const auto& name : *added)
      files.add([this, &path, &name] {
        const auto file = open_file(objects_, name);
        if (!file || fsync(file.get()) != 0) fault("sync " + (path / name).string());
      });
    files.finish();
    if (fsync(objects_) != 0) fault("sync " + path.string());
  }
  added->clear();
}

}  // namespace renga::releases

// The caller's thread walks through the tree; the files of a directory are everybody's.
//
// New files are moved, and not copied, whatever their size. The directory that dynos run from is
// made beside the build's: a link takes a third of the time of putting one in a file's place, which
// ends the file, and what is left of the build's directory goes when nobody waits any more.
#include "releases/keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "base/fault.h"
#include "crypto/digest.h"
#include "os/file.h"
#include "releases/archive_names.h"
#include "releases/object_files.h"
#include "releases/tree.h"
#include "releases/tree_lines.h"

namespace renga::releases {
namespace {

// Are synced one by one; more, with the whole file system, where others' files wait as well, and
// those that a build has only for a moment.
constexpr std::size_t few_objects = 256;

}  // namespace

Keeper::Keeper(int objects, int owner, const TreeLimits& limits)
    : objects_(objects), owner_(owner), limits_(limits), work_(SharedWork::for_files()) {}

Keeper::~Keeper() {
  for (const auto& name : *added_.lock()) unlinkat(objects_, name.c_str(), 0);
}

Result<std::string> Keeper::keep(int directory, int target, std::size_t depth) {
  if (depth > deepest)
    return fail(Kind::invalid,
                fmt::format("The app has more than {} directories inside each other.", deepest));
  const auto names = names_in(directory);
  std::vector<Result<std::string>> lines(names.size());
  SharedWork::Batch files(work_);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    if (++entries_ > limits_.entries)
      return fail(Kind::too_large, fmt::format("The app has more than {} files. Take some out of "
                                               "it, or name them in .slugignore.",
                                               limits_.entries));
    struct stat status {};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) fault("read " + name);
    if (S_ISDIR(status.st_mode)) {
      lines[i] = TRY(keep_directory(status, directory, target, name, depth));
    } else if (S_ISLNK(status.st_mode)) {
      const auto link = read_link(directory, name);
      if (symlinkat(link.c_str(), target, name.c_str()) != 0) fault("make " + name);
      give(target, name, owner_);
      lines[i] = line_of({TreeEntry::Kind::link, link, name});
    } else if (S_ISREG(status.st_mode)) {
      files.add([this, directory, target, &name, &line = lines[i]] {
        line = keep_file(directory, target, name);
      });
    }
  }
  files.finish();
  std::string all;
  for (const auto& line : lines) all += TRY(line);
  return keep_lines(all);
}

Result<std::string> Keeper::keep_directory(const struct stat& status, int directory, int target,
                                           const std::string& name, std::size_t depth) {
  const auto below = open_directory(directory, name);
  if (!below) fault("open " + name);
  if (mkdirat(target, name.c_str(), 0700) != 0) fault("make " + name);
  give(target, name, owner_);
  const auto made = open_directory(target, name);
  if (!made) fault("open " + name);
  const auto inside = TRY(keep(below.get(), made.get(), depth + 1));
  const mode_t mode = status.st_mode & 0777;
  if (fchmod(made.get(), mode) != 0) fault("chmod " + name);
  return line_of({TreeEntry::Kind::tree, fmt::format("{}-{:o}", inside, mode), name});
}

Result<std::string> Keeper::keep_file(int directory, int target, const std::string& name) {
  const auto file = open_file(directory, name);
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) fault("open " + name);
  if (const auto bytes = bytes_ += status.st_size; bytes > limits_.bytes)
    return fail(Kind::too_large,
                fmt::format("Compiled slug size: {:.1f}M is too large (max is {}M). Take large "
                            "files out of the app, or name them in .slugignore.",
                            static_cast<double>(bytes) / (1 << 20), limits_.bytes >> 20));
  const auto object = object_name(digest_of(file.get(), name), name, status);
  const bool small = is_small(status.st_size);
  struct stat there {};
  const bool exists = fstatat(objects_, object.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
  // A disk that failed may have cut it; make() would find out.
  const bool is_whole = exists && there.st_size == status.st_size;
  if (is_whole && is_amiss(there, object, owner_))
    repaired(open_file(objects_, object).get(), object, owner_);
  const auto is_plain = [&] {
    return status.st_nlink == 1 && flistxattr(file.get(), nullptr, 0) == 0;
  };
  if (!is_whole)
    add(directory, name, file.get(), object, status, !small && is_plain(),
        exists ? Replace::yes : Replace::no);

  // Small ones have files of their own. Neither is to be had across file systems, nor a link past
  // a file system's limit of names for one file.
  const bool is_there =
      small ? is_plain() && renameat(directory, name.c_str(), target, name.c_str()) == 0
            : linkat(objects_, object.c_str(), target, name.c_str(), 0) == 0;
  if (!is_there) copy_file(file.get(), target, name, status.st_mode & 0777, owner_, status.st_mtim);
  return line_of({TreeEntry::Kind::file, object, name});
}

// The file becomes the object, or, across file systems and where that must not be, its copy does.
void Keeper::add(int directory, const std::string& name, int file, const std::string& object,
                 const struct stat& status, bool becomes_it, Replace replace) {
  // Nobody gives a file that others share a time to come.
  const timespec now{std::time(nullptr), 0};
  const bool to_come = !is_checked_by_time(name) && status.st_mtim.tv_sec > now.tv_sec;
  if (becomes_it) {
    const timespec times[2] = {{0, UTIME_OMIT}, now};
    if (to_come && futimens(file, times) != 0) fault("set the time of " + name);
    if (put(directory, name, object, replace)) return;
  }
  const auto made = unfinished_name();
  copy_file(file, objects_, made, status.st_mode & 0777, owner_, to_come ? now : status.st_mtim);
  put(objects_, made, object, replace);
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
  put(objects_, made, object, Replace::yes);
  return sha;
}

// False across file systems.
bool Keeper::put(int from, const std::string& name, const std::string& object, Replace replace) {
  const auto flags = replace == Replace::yes ? 0U : static_cast<unsigned>(RENAME_NOREPLACE);
  int done = renameat2(from, name.c_str(), objects_, object.c_str(), flags);
  if (done != 0 && errno == EEXIST) {  // another thread had the same content, and was quicker
    unlinkat(from, name.c_str(), 0);
    return true;
  }
  // Not every file system can refuse to replace; then the last of two equal ones stays.
  if (done != 0 && errno == EINVAL) done = renameat(from, name.c_str(), objects_, object.c_str());
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

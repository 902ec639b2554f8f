// A file's object is the file itself: a hard link, so that nothing is copied or unpacked, neither
// when a slug is made nor when a dyno starts. What links share is more than bytes: the mode, and
// the time. So an object's name is its SHA-256, its mode and, for sources whose compiled code is
// checked by their time, that: "<sha256>-644", "<sha256>-644-1767225600". Of others the first time
// counts, which is when this content came up. All objects have one owner. A file with extended
// attributes or a second name is copied: the object has the bytes, and nothing else of it.
//
// Small files are objects too, but what dynos run from has copies of them: see is_small().
#include "releases/objects.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/fault.h"
#include "base/locked.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "os/file.h"
#include "releases/archive_names.h"
#include "releases/shared_work.h"
#include "releases/tree.h"
#include "releases/tree_lines.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view tree_suffix = "-tree";
constexpr std::string_view unfinished = ".new-";
constexpr std::size_t digits = 64;       // of a SHA-256
constexpr std::size_t few_objects = 16;  // are synced one by one; more, with the whole file system
constexpr std::int64_t largest_tree = 256LL << 20;

// A file's link count is seen by whoever runs from it, and tells whether another app has the very
// same file. That must not answer guesses at what is in somebody's settings, which are small. It
// also keeps the empty files that every package has below a file system's limit of names.
bool is_small(std::int64_t size) { return size <= 1024; }

// Python and Ruby keep compiled code beside a source, and take it by the source's time.
bool is_checked_by_time(std::string_view name) {
  return name.ends_with(".py") || name.ends_with(".rb");
}

std::string object_name(const std::string& sha, std::string_view name, const struct stat& status) {
  auto object = fmt::format("{}-{:o}", sha, status.st_mode & 0777);
  if (is_checked_by_time(name)) object += fmt::format("-{}", status.st_mtim.tv_sec);
  return object;
}

// The mode in an object's or a directory's name.
mode_t mode_in(std::string_view name) {
  const auto parts = text::split(name, '-');
  mode_t mode = 0644;
  if (parts.size() > 1)
    std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), mode, 8);
  return mode & 0777;
}

// The time in an object's name, where it has one.
std::optional<std::int64_t> time_in(std::string_view name) {
  const auto parts = text::split(name, '-');
  return parts.size() > 2 ? text::number(parts[2]) : std::nullopt;
}

template <class Use>
void read_whole(int file, const std::string& name, const Use& use) {
  if (lseek(file, 0, SEEK_SET) != 0) fault("read " + name);
  std::array<char, 128 << 10> buffer;
  for (;;) {
    const auto size = ::read(file, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fault("read " + name);
    if (size == 0) return;
    use(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
  }
}

std::string digest_of(int file, const std::string& name) {
  crypto::Sha256 digest;
  read_whole(file, name, [&](std::string_view bytes) { digest.update(bytes); });
  return digest.finish();
}

os::Fd open_file(int directory, const std::string& name) {
  return os::Fd(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}
os::Fd open_directory(int directory, const std::string& name) {
  return os::Fd(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}
os::Fd new_file(int directory, const std::string& name) {
  os::Fd file(openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fault("make " + name);
  return file;
}

std::string beside() { return std::string(unfinished) + random_hex(12); }

// A new file with the bytes of another, and nothing else of it.
void copy(int from, int directory, const std::string& name, mode_t mode, int owner,
          const timespec& time) {
  const auto to = new_file(directory, name);
  read_whole(from, name, [&](std::string_view bytes) { os::write_all(to.get(), bytes, name); });
  const auto id = static_cast<unsigned>(owner);
  const timespec times[2] = {{0, UTIME_OMIT}, time};
  if ((owner >= 0 && fchown(to.get(), id, id) != 0) || fchmod(to.get(), mode) != 0 ||
      futimens(to.get(), times) != 0)
    fault("make " + name);
}

// An object's mode and time are in its name, and all have one owner: a backup keeps nothing else,
// and a restore leaves them root's own.
struct stat repaired(int file, const std::string& object, int owner) {
  struct stat status {};
  if (fstat(file, &status) != 0) fault("read " + object);
  const auto id = static_cast<unsigned>(owner);
  if (owner >= 0 && status.st_uid != id && fchown(file, id, id) != 0) fault("chown " + object);
  if ((status.st_mode & 07777) != mode_in(object) && fchmod(file, mode_in(object)) != 0)
    fault("chmod " + object);
  const auto time = time_in(object);
  if (time && status.st_mtim.tv_sec != *time) {
    status.st_mtim = {*time, 0};
    const timespec times[2] = {{0, UTIME_OMIT}, status.st_mtim};
    if (futimens(file, times) != 0) fault("set the time of " + object);
  }
  return status;
}

// Whether repaired() has something to do.
bool is_amiss(const struct stat& status, const std::string& object, int owner) {
  const auto time = time_in(object);
  return (owner >= 0 && status.st_uid != static_cast<unsigned>(owner)) ||
         (status.st_mode & 07777) != mode_in(object) || (time && status.st_mtim.tv_sec != *time);
}

// Reading and linking thousands of files keeps two cores busy, and a disk no more.
unsigned helpers() { return std::min(3U, std::max(1U, std::thread::hardware_concurrency()) - 1); }

// Keeps one tree. The caller's thread walks through it; the files of a directory are everybody's.
class Keeper {
 public:
  Keeper(int objects, int owner, const TreeLimits& limits)
      : objects_(objects), owner_(owner), limits_(limits), work_(helpers()) {}
  // Whoever finds an object later must find it whole, and synced.
  ~Keeper() {
    for (const auto& name : *added_.lock()) unlinkat(objects_, name.c_str(), 0);
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  Result<std::string> keep(int directory, std::size_t depth) {
    if (depth > deepest)
      return fail(Kind::invalid, fmt::format("The app has more than {} directories inside each "
                                             "other.",
                                             deepest));
    const auto names = names_in(directory);
    std::vector<Result<std::string>> lines(names.size());
    SharedWork::Batch files(work_);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto& name = names[i];
      if (++entries_ > limits_.entries)
        return fail(Kind::too_large,
                    fmt::format("The app has more than {} files. Take some out of it, or name "
                                "them in .slugignore.",
                                limits_.entries));
      struct stat status {};
      if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        fault("read " + name);
      if (S_ISDIR(status.st_mode)) {
        const auto below = open_directory(directory, name);
        if (!below) fault("open " + name);
        const auto inside = TRY(keep(below.get(), depth + 1));
        lines[i] = line_of(
            {TreeEntry::Kind::tree, fmt::format("{}-{:o}", inside, status.st_mode & 0777), name});
      } else if (S_ISLNK(status.st_mode)) {
        lines[i] = line_of({TreeEntry::Kind::link, read_link(directory, name), name});
      } else if (S_ISREG(status.st_mode)) {
        files.add(
            [this, directory, &name, &line = lines[i]] { line = file_line(directory, name); });
      }
    }
    files.finish();
    std::string tree;
    for (const auto& line : lines) tree += TRY(line);
    return keep_tree(tree);
  }

  void sync(const fs::path& path) {
    auto added = added_.lock();
    if (added->size() > few_objects) {
      if (syncfs(objects_) != 0) fault("sync " + path.string());
    } else if (!added->empty()) {
      for (const auto& name : *added) {
        const auto file = open_file(objects_, name);
        if (!file || fsync(file.get()) != 0) fault("sync " + (path / name).string());
      }
      if (fsync(objects_) != 0) fault("sync " + path.string());
    }
    added->clear();
  }

  std::int64_t bytes() const { return bytes_; }

 private:
  Result<std::string> file_line(int directory, const std::string& name) {
    return line_of({TreeEntry::Kind::file, TRY(keep_file(directory, name)), name});
  }

  Result<std::string> keep_file(int directory, const std::string& name) {
    const auto file = open_file(directory, name);
    struct stat status {};
    if (!file || fstat(file.get(), &status) != 0) fault("open " + name);
    if (const auto bytes = bytes_ += status.st_size; bytes > limits_.bytes)
      return fail(Kind::too_large,
                  fmt::format("Compiled slug size: {:.1f}M is too large (max is {}M). Take large "
                              "files out of the app, or name them in .slugignore.",
                              static_cast<double>(bytes) / (1 << 20), limits_.bytes >> 20));
    const auto object = object_name(digest_of(file.get(), name), name, status);
    struct stat there {};
    bool exists = fstatat(objects_, object.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
    if (exists && there.st_ino == status.st_ino && there.st_dev == status.st_dev) return object;
    // A disk that failed may have cut it; make() would find out.
    const bool is_damaged = exists && there.st_size != status.st_size;
    exists = exists && !is_damaged;
    if (exists && is_amiss(there, object, owner_))
      repaired(open_file(objects_, object).get(), object, owner_);
    const bool small = is_small(status.st_size);
    if (exists && !small) {
      take_place(directory, name, object, file.get(), status);
      return object;
    }
    const bool is_plain = status.st_nlink == 1 && flistxattr(file.get(), nullptr, 0) == 0;
    bool becomes_it = !exists && is_plain && !small;
    if (!exists && !add(directory, name, file.get(), object, status, becomes_it, is_damaged))
      becomes_it = false;  // the same content had another thread, which was quicker
    if (!becomes_it && !(small && is_plain))
      take_place(directory, name, object, file.get(), status);
    return object;
  }

  // The file becomes the object, or, across file systems and where that must not be, its copy does.
  // False when there is one by now.
  bool add(int directory, const std::string& name, int file, const std::string& object,
           const struct stat& status, bool becomes_it, bool replace) {
    // Nobody gives a file that others share a time to come.
    const timespec now{std::time(nullptr), 0};
    const bool to_come = !is_checked_by_time(name) && status.st_mtim.tv_sec > now.tv_sec;
    const auto made = beside();
    if (!becomes_it || linkat(directory, name.c_str(), objects_, made.c_str(), 0) != 0) {
      copy(file, objects_, made, status.st_mode & 0777, owner_, to_come ? now : status.st_mtim);
    } else if (to_come) {
      const timespec times[2] = {{0, UTIME_OMIT}, now};
      if (futimens(file, times) != 0) fault("set the time of " + name);
    }
    return put(made, object, replace);
  }

  // The object, or a small one's copy, takes the file's place.
  void take_place(int directory, const std::string& name, const std::string& object, int file,
                  const struct stat& status) {
    const auto made = beside();
    // Linked neither across file systems nor past a file system's limit of names for one file.
    if (is_small(status.st_size) ||
        linkat(objects_, object.c_str(), directory, made.c_str(), 0) != 0)
      copy(file, directory, made, status.st_mode & 0777, owner_, status.st_mtim);
    if (renameat(directory, made.c_str(), directory, name.c_str()) != 0) fault("link " + name);
  }

  std::string keep_tree(std::string_view tree) {
    auto sha = crypto::sha256(tree);
    const auto object = sha + std::string(tree_suffix);
    struct stat there {};
    if (fstatat(objects_, object.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        there.st_size == static_cast<std::int64_t>(tree.size()))
      return sha;
    const auto made = beside();
    os::write_all(new_file(objects_, made).get(), tree, made);
    put(made, object, true);
    return sha;
  }

  bool put(const std::string& made, const std::string& object, bool replace) {
    const auto flags = replace ? 0U : static_cast<unsigned>(RENAME_NOREPLACE);
    int done = renameat2(objects_, made.c_str(), objects_, object.c_str(), flags);
    if (done != 0 && errno == EEXIST) {
      unlinkat(objects_, made.c_str(), 0);
      return false;
    }
    // Not every file system can refuse to replace; then the last of two equal ones stays.
    if (done != 0 && errno == EINVAL)
      done = renameat(objects_, made.c_str(), objects_, object.c_str());
    if (done != 0) fault("keep the object " + object);
    added_.lock()->push_back(object);
    return true;
  }

  const int objects_;
  const int owner_;
  const TreeLimits limits_;
  std::atomic<std::int64_t> bytes_ = 0;
  std::int64_t entries_ = 0;
  Locked<std::vector<std::string>> added_;  // and not synced yet
  SharedWork work_;                         // last: its threads use all of the above
};

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

// A tree's entries, when they are what its name says.
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

class Maker {
 public:
  Maker(int objects, int owner) : objects_(objects), owner_(owner) {}

  Result<void> make(const std::string& tree, int directory) {
    for (const auto& [kind, what, name] : TRY(read_tree(objects_, tree))) {
      if (kind == TreeEntry::Kind::tree) {
        if (mkdirat(directory, name.c_str(), 0700) != 0) fault("make " + name);
        own(directory, name);
        const auto below = open_directory(directory, name);
        if (!below) fault("open " + name);
        TRY(make(what.substr(0, digits), below.get()));
        if (fchmod(below.get(), mode_in(what)) != 0) fault("chmod " + name);
      } else if (kind == TreeEntry::Kind::link) {
        if (symlinkat(what.c_str(), directory, name.c_str()) != 0) fault("make " + name);
        own(directory, name);
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
    copy(file.get(), directory, name, mode_in(object), owner_, status.st_mtim);
    return {};
  }

  void own(int directory, const std::string& name) const {
    if (owner_ >= 0 && fchownat(directory, name.c_str(), id(), id(), AT_SYMLINK_NOFOLLOW) != 0)
      fault("chown " + name);
  }
  unsigned id() const { return static_cast<unsigned>(owner_); }

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

}  // namespace

Objects::Objects(fs::path directory, int owner)
    : path_(std::move(directory)), owner_(owner), directory_(made_directory(path_)) {}

Result<Objects::Kept> Objects::keep(const fs::path& directory, const TreeLimits& limits) {
  const os::Fd top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!top) fault("open " + directory.string());
  Keeper keeper(directory_.get(), owner_, limits);
  auto tree = TRY(keeper.keep(top.get(), 0));
  keeper.sync(path_);
  return Kept{std::move(tree), keeper.bytes()};
}

bool Objects::has(const std::string& tree) const {
  return !tree.empty() &&
         faccessat(directory_.get(), (tree + std::string(tree_suffix)).c_str(), F_OK, 0) == 0;
}

Result<void> Objects::make(const std::string& tree, const fs::path& target) const {
  fs::create_directory(target);
  const auto id = static_cast<unsigned>(owner_);
  if (owner_ >= 0 && lchown(target.c_str(), id, id) != 0) fault("chown " + target.string());
  const os::Fd top(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) fault("open " + target.string());
  return Maker(directory_.get(), owner_).make(tree, top.get());
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

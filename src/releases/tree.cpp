#include "releases/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>

#include "base/fault.h"
#include "os/fd.h"
#include "releases/archive_names.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

class Tidier {
 public:
  explicit Tidier(int owner) : owner_(owner) {}

  Result<void> tidy(int directory, std::size_t depth) {
    if (depth > deepest)
      return fail(Kind::invalid, "The app has more than " + std::to_string(deepest) +
                                     " directories inside each other.");
    struct stat status {};
    if (fstat(directory, &status) != 0) fault("read a directory of the app");
    if (!is_owned(status) && fchown(directory, id(), id()) != 0)
      fault("chown a directory of the app");
    const mode_t mode = (status.st_mode & 0777) | 0700;
    if (mode != (status.st_mode & 07777) && fchmod(directory, mode) != 0)
      fault("chmod a directory of the app");
    for (const auto& name : names_in(directory)) TRY(tidy_one(directory, name, depth));
    return {};
  }

 private:
  Result<void> tidy_one(int directory, const std::string& name, std::size_t depth) {
    struct stat status {};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) fault("read " + name);
    if (S_ISDIR(status.st_mode)) {
      os::Fd below(open_directory(directory, name));
      if (!below && errno == EACCES && fchmodat(directory, name.c_str(), 0700, 0) == 0)
        below = os::Fd(open_directory(directory, name));
      if (!below) fault("open " + name);
      return tidy(below.get(), depth + 1);
    }
    if (S_ISCHR(status.st_mode) && status.st_rdev == 0) return {};  // an overlay's mark
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
      if (unlinkat(directory, name.c_str(), 0) != 0) fault("remove " + name);
      return {};
    }
    if (!is_owned(status) &&
        fchownat(directory, name.c_str(), id(), id(), AT_SYMLINK_NOFOLLOW) != 0)
      fault("chown " + name);
    if (S_ISLNK(status.st_mode)) return {};
    const mode_t mode = (status.st_mode & 0777) | 0400;
    if (mode != (status.st_mode & 07777) && fchmodat(directory, name.c_str(), mode, 0) != 0)
      fault("chmod " + name);
    return {};
  }

  static int open_directory(int directory, const std::string& name) {
    return openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  unsigned id() const { return static_cast<unsigned>(owner_); }
  bool is_owned(const struct stat& status) const {
    return owner_ < 0 || (status.st_uid == id() && status.st_gid == id());
  }

  const int owner_;
};

}  // namespace

std::vector<std::string> names_in(int directory) {
  // A descriptor of its own: closedir() closes it, and the place in a shared one would be shared.
  const int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) fault("open a directory");
  const std::unique_ptr<DIR, CloseDirectory> stream(fdopendir(own));
  if (!stream) {
    ::close(own);
    fault("read a directory");
  }
  std::vector<std::string> names;
  for (errno = 0; const auto* entry = readdir(stream.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) fault("read a directory");
  std::ranges::sort(names);
  return names;
}

std::string read_link(int directory, const std::string& name) {
  std::string link(PATH_MAX, '\0');
  const auto size = readlinkat(directory, name.c_str(), link.data(), link.size());
  if (size < 0) fault("read the link " + name);
  link.resize(static_cast<std::size_t>(size));
  return link;
}

void sync_directory(const fs::path& directory) {
  const os::Fd opened(
      ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || fsync(opened.get()) != 0) fault("sync " + directory.string());
}

Result<void> tidy(const fs::path& directory, int owner) {
  const os::Fd top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!top) fault("open " + directory.string());
  return Tidier(owner).tidy(top.get(), 0);
}

}  // namespace renga::releases

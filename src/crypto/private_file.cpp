#include "crypto/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/random.h"

namespace renga::crypto {
namespace {

constexpr std::size_t longest_file = 1 << 20;

// crypto stands below os, so it has its own few lines of this.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void sync_directory(const std::filesystem::path& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) fault("open " + directory.string());
  if (::fsync(fd.get()) != 0) fault("sync " + directory.string());
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// A synced file beside `path`, removed with its owner unless it was renamed.
class Draft {
 public:
  Draft(const std::filesystem::path& path, std::string_view bytes, mode_t mode)
      : path_(path.string() + "." + random_hex(8) + ".new") {
    const Descriptor fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd.get() < 0) fault("create " + path_.string());
    try {
      while (!bytes.empty()) {
        const auto written = ::write(fd.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fault("write " + path_.string());
        bytes.remove_prefix(static_cast<std::size_t>(written));
      }
      // By descriptor, since the umask would take bits from open's mode.
      if (::fchmod(fd.get(), mode) != 0) fault("set the mode of " + path_.string());
      if (::fsync(fd.get()) != 0) fault("sync " + path_.string());
    } catch (...) {
      ::unlink(path_.c_str());
      throw;
    }
  }
  ~Draft() { ::unlink(path_.c_str()); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::optional<std::string> read_file(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return std::nullopt;
    fault("open " + path.string());
  }
  std::string bytes;
  char buffer[4096];
  for (;;) {
    const auto got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fault("read " + path.string());
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
    if (bytes.size() > longest_file) fault(EFBIG, "read " + path.string());
  }
}

void replace_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  const Draft draft(path, bytes, mode);
  if (::rename(draft.path().c_str(), path.c_str()) != 0) fault("rename to " + path.string());
  sync_directory(directory_of(path));
}

bool create_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  const Draft draft(path, bytes, mode);
  // link(2) refuses a name that is taken, which rename(2) does not.
  const bool created = ::link(draft.path().c_str(), path.c_str()) == 0;
  if (!created && errno != EEXIST) fault("link " + path.string());
  sync_directory(directory_of(path));
  return created;
}

}  // namespace renga::crypto

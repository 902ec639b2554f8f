#include "router/kept_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/file.h"

namespace renga::router {
namespace {

constexpr std::size_t largest = 256u
                                << 20;  // bytes: a table of a hundred thousand routes, and more

}  // namespace

KeptFiles::KeptFiles(const std::filesystem::path& directory, unsigned user) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fault("make " + directory.string());
  directory_ = os::open_file(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (user != 0 && ::fchown(directory_.get(), user, user) != 0)
    fault("give away " + directory.string());
}

std::optional<std::string> KeptFiles::read(const std::string& name) const {
  const os::Fd file(::openat(directory_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return std::nullopt;
  return os::read_all(file.get(), largest);
}

void KeptFiles::write(const std::string& name, std::string_view text) const {
  const auto fresh = name + ".new";
  // What an interrupted write left may be another user's.
  ::unlinkat(directory_.get(), fresh.c_str(), 0);
  const os::Fd file(::openat(directory_.get(), fresh.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) fault("make " + fresh);
  os::write_all(file.get(), text, "write " + fresh);
  if (::fdatasync(file.get()) != 0) fault("flush " + fresh);
  if (::renameat(directory_.get(), fresh.c_str(), directory_.get(), name.c_str()) != 0)
    fault("rename " + fresh);
}

void KeptFiles::append(const std::string& name, std::string_view text) const {
  const os::Fd file(::openat(directory_.get(), name.c_str(),
                             O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) fault("open " + name);
  os::write_all(file.get(), text, "write " + name);
  if (::fdatasync(file.get()) != 0) fault("flush " + name);
}

void KeptFiles::remove(const std::string& name) const {
  if (::unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    fault("remove " + name);
}

}  // namespace renga::router

#include "os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "base/fault.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace renga::os {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

Fd open_beneath(int directory, const char* name) {
  open_how how = {};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return Fd(static_cast<int>(syscall(SYS_openat2, directory, name, &how, sizeof how)));
}

bool is_directory(int parent, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat info;
  return fstatat(parent, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Fd open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  Fd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) fault("open " + path.string());
  return fd;
}

std::string read_all(int fd, std::size_t limit) {
  std::string text;
  char buffer[16384];
  while (text.size() < limit) {
    const auto count = read(fd, buffer, std::min(sizeof buffer, limit - text.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fault("read a file");
    if (count == 0) break;
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

std::optional<std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // ENODEV and ESRCH are what the kernel's own files say when their subject is gone.
  if (!fd && (errno == ENOENT || errno == ENOTDIR || errno == ENODEV || errno == ESRCH))
    return std::nullopt;
  if (!fd) fault("open " + path.string());
  try {
    return read_all(fd.get(), limit);
  } catch (const std::system_error& error) {
    if (error.code().value() == ENODEV || error.code().value() == ESRCH) return std::nullopt;
    fault(error.code().value(), "read " + path.string());
  }
}

void write_all(int fd, std::string_view bytes, const std::string& what) {
  while (!bytes.empty()) {
    const auto count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fault("write " + what);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void write_control(const std::filesystem::path& path, std::string_view value) {
  const auto fd = open_file(path, O_WRONLY);
  if (write(fd.get(), value.data(), value.size()) < 0)
    fault("write \"" + std::string(value) + "\" to " + path.string());
}

void replace_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  auto beside = path;
  beside += ".new";
  {
    const auto fd = open_file(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
    write_all(fd.get(), bytes, beside.string());
  }
  if (rename(beside.c_str(), path.c_str()) != 0) fault("rename " + beside.string());
}

void remove_tree(int directory, const std::string& name) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR && errno != EPERM) fault("remove " + name);
  if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0) return;

  // Directories still to be emptied. One at a time is open, found again from its parent by "..", so
  // that depth costs no descriptors; the way up is checked, since a stranger's process might move
  // directories.
  struct Level {
    std::string name;
    dev_t device;
    ino_t inode;
  };
  std::vector<Level> path;
  struct stat top;
  if (fstat(directory, &top) != 0) fault("remove " + name);
  Fd current(dup(directory));
  const auto enter = [&](const std::string& child) {
    auto opened = open_beneath(current.get(), child.c_str());
    struct stat info;
    if (!opened || fstat(opened.get(), &info) != 0) fault("remove " + name + ": open " + child);
    path.push_back({child, info.st_dev, info.st_ino});
    current = std::move(opened);
  };
  enter(name);
  while (!path.empty()) {
    std::unique_ptr<DIR, CloseDirectory> entries(fdopendir(dup(current.get())));
    if (!entries) fault("remove " + name);
    rewinddir(entries.get());
    std::string below;
    while (const dirent* entry = readdir(entries.get())) {
      const std::string_view child = entry->d_name;
      if (child == "." || child == "..") continue;
      if (!is_directory(current.get(), *entry)) {
        if (unlinkat(current.get(), entry->d_name, 0) != 0 && errno != ENOENT)
          fault("remove " + name + ": remove " + entry->d_name);
      } else if (unlinkat(current.get(), entry->d_name, AT_REMOVEDIR) != 0) {
        below = child;
        break;
      }
    }
    entries.reset();
    if (!below.empty()) {
      enter(below);
      continue;
    }
    const auto done = path.back();
    path.pop_back();
    Fd up(openat(current.get(), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info;
    if (!up || fstat(up.get(), &info) != 0) fault("remove " + name + ": leave " + done.name);
    const auto device = path.empty() ? top.st_dev : path.back().device;
    const auto inode = path.empty() ? top.st_ino : path.back().inode;
    if (info.st_dev != device || info.st_ino != inode)
      fault(EXDEV, "remove " + name + ": " + done.name + " was moved");
    current = std::move(up);
    if (unlinkat(current.get(), done.name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      fault("remove " + name + ": remove " + done.name);
  }
}

Fd sealed_copy(const std::filesystem::path& program) {
  const auto bytes = read_file(program, 64u << 20);
  if (!bytes) fault(ENOENT, "open " + program.string());
  const auto name = program.filename().string();
  Fd copy(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC));
  // Kernels before 6.3 do not know MFD_EXEC, and do not need it.
  if (!copy && errno == EINVAL)
    copy = Fd(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!copy) fault("make a file in memory for " + name);
  write_all(copy.get(), *bytes, name);
  if (fchmod(copy.get(), 0555) != 0 ||
      fcntl(copy.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    fault("seal the copy of " + name);
  return copy;
}

Fd memory_file(const std::string& name, std::string_view bytes) {
  Fd file(memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!file) fault("make a file in memory for " + name);
  write_all(file.get(), bytes, name);
  if (lseek(file.get(), 0, SEEK_SET) != 0) fault("rewind the file in memory for " + name);
  return file;
}

}  // namespace renga::os

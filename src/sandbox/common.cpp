#include "sandbox/common.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "base/fault.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/namespaces.h"

namespace renga::sandbox {
namespace {

constexpr os::MountAttributes kept = {
    .read_only = true, .no_suid = true, .no_dev = true, .no_exec = true};

os::Fd if_it_can_be_cloned(os::Fd mount) {
  try {
    os::clone_mount(mount.get(), "", {});
  } catch (const std::system_error&) {
    mount.close();
  }
  return mount;
}

}  // namespace

void make_directory(const os::Fd& directory, const char* path, mode_t mode) {
  if (mkdirat(directory.get(), path, mode) != 0 && errno != EEXIST)
    fault("make " + std::string(path) + " of a sandbox");
}

void make_link(const os::Fd& directory, const std::string& to, const std::string& path) {
  if (symlinkat(to.c_str(), directory.get(), path.c_str()) != 0)
    fault("make the link " + path + " of a sandbox");
}

void make_file(const os::Fd& directory, const std::string& path, std::string_view text) {
  const os::Fd file(openat(directory.get(), path.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) fault("make " + path + " of a sandbox");
  os::write_all(file.get(), text, path);
}

void write_common_etc(const os::Fd& etc) {
  make_file(etc, "passwd",
            "root:x:0:0:root:/root:/usr/sbin/nologin\n"
            "dyno:x:1000:1000:dyno:/app:/bin/bash\n"
            "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
  make_file(etc, "group", "root:x:0:\ntty:x:5:\ndyno:x:1000:\nnogroup:x:65534:\n");
  make_file(etc, "nsswitch.conf",
            "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
            "protocols: files\nservices: files\n");
  make_link(etc, "/proc/self/mounts", "mtab");
  make_link(etc, "/proc/sys/kernel/hostname", "hostname");
  for (const auto* name : {"hosts", "resolv.conf"})
    make_link(etc, "../run/" + std::string(name), name);
}

void fill_dev(const os::Fd& dev) {
  for (const auto& device : devices) make_file(dev, device.name, "");
  for (const auto* name : {"pts", "shm"}) make_directory(dev, name);
  make_link(dev, "pts/ptmx", "ptmx");
  make_link(dev, "/proc/self/fd", "fd");
  make_link(dev, "/proc/self/fd/0", "stdin");
  make_link(dev, "/proc/self/fd/1", "stdout");
  make_link(dev, "/proc/self/fd/2", "stderr");
}

os::Fd new_dev() {
  auto dev = os::new_file_system("tmpfs", {{"mode", "755"}}, {.no_suid = true, .no_exec = true});
  fill_dev(dev);
  os::set_attributes(dev.get(), {.read_only = true});
  return if_it_can_be_cloned(std::move(dev));
}

os::Fd new_sys() {
  // What this is becomes the mount: the process below has its descriptors in common with this one.
  os::Fd place = os::open_file("/dev/null", O_RDWR);
  // In a user namespace, the kernel shows no more of /sys than the host does.
  const auto maker = os::fork_into(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_FILES);
  if (maker.pid == 0) {
    try {
      auto sys = os::new_file_system("sysfs", {}, kept);
      const bool placed = dup3(sys.get(), place.get(), O_CLOEXEC) >= 0;
      sys.close();
      _exit(placed ? 0 : 1);
    } catch (const std::exception&) {
      _exit(1);
    }
  }
  int status = 1;
  while (waitpid(maker.pid, &status, 0) < 0 && errno == EINTR) continue;
  return status == 0 ? if_it_can_be_cloned(std::move(place)) : os::Fd();
}

}  // namespace renga::sandbox

#include "os/namespaces.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/fault.h"
#include "base/text.h"
#include "os/file.h"

namespace renga::os {

Cloned fork_into(std::uint64_t flags, int cgroup) {
  int pidfd = -1;
  clone_args arguments = {};
  arguments.flags = flags | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  if ((flags & CLONE_PARENT) == 0) arguments.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid < 0) fault("clone a process into new namespaces");
  return {pid, Fd(pid == 0 ? -1 : pidfd)};
}

void map_ids(pid_t pid, std::uint32_t base, std::uint32_t count) {
  const auto map = "0 " + std::to_string(base) + " " + std::to_string(count);
  const auto proc = "/proc/" + std::to_string(pid);
  write_control(proc + "/uid_map", map);
  write_control(proc + "/gid_map", map);
}

Fd id_map(std::uint32_t base, std::uint32_t count) {
  auto holder = fork_into(CLONE_NEWUSER);
  if (holder.pid == 0) {
    // Holds the namespace until it has been opened, and not longer than this program lives.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) pause();
  }
  Fd opened;
  int error = 0;
  std::string attempted;
  try {
    map_ids(holder.pid, base, count);
    opened = open_file("/proc/" + std::to_string(holder.pid) + "/ns/user", O_RDONLY);
  } catch (const std::system_error& failed) {
    error = failed.code().value();
    attempted = failed.what();
  }
  syscall(SYS_pidfd_send_signal, holder.pidfd.get(), SIGKILL, nullptr, 0);
  // ECHILD when ended children are not kept (SIGCHLD ignored): then it comes after the end, too.
  while (waitpid(holder.pid, nullptr, 0) < 0 && errno == EINTR) continue;
  if (error != 0) fault(error, "make an id map: " + attempted);
  return opened;
}

void own_mount_namespace() {
  if (unshare(CLONE_NEWNS) != 0) fault("make a mount namespace");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) fault("separate mounts");
}

namespace {

// Nothing, or why the kernel refuses.
int try_user_namespace() {
  try {
    const auto probe = fork_into(CLONE_NEWUSER);
    if (probe.pid == 0) _exit(0);
    while (waitpid(probe.pid, nullptr, 0) < 0 && errno == EINTR) continue;
    return 0;
  } catch (const std::system_error& error) {
    return error.code().value();
  }
}

void leave_chroot() {
  if (unshare(CLONE_NEWNS) != 0) fault("make a mount namespace");
  // What the host mounts later is still to be seen here, and nothing of ours there.
  const Fd tree(open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (!tree) fault("clone the root directory");
  // Entering a mount namespace, even one's own, leaves any chroot: see setns(2).
  const auto here = open_file("/proc/self/ns/mnt", O_RDONLY);
  if (setns(here.get(), CLONE_NEWNS) != 0) fault("leave the chroot");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) fault("separate mounts");
  if (move_mount(tree.get(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0 ||
      fchdir(tree.get()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
      umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
    fault("make the root directory the root of a mount namespace");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) fault("separate mounts");
}

}  // namespace

void ensure_user_namespaces() {
  int error = try_user_namespace();
  if (error == EPERM) {
    leave_chroot();
    error = try_user_namespace();
  }
  if (error != 0)
    fault(error,
          "make a user namespace (are they forbidden by the sysctl user.max_user_namespaces or "
          "kernel.unprivileged_userns_clone?)");
}

void in_network_of(const Fd& pidfd, const std::function<void()>& work) {
  const auto home = open_file("/proc/self/ns/net", O_RDONLY);
  if (setns(pidfd.get(), CLONE_NEWNET) != 0) fault("enter the sandbox's network");
  const auto leave = [&home] {
    if (setns(home.get(), CLONE_NEWNET) == 0) return;
    std::perror("renga spawner: cannot come back from a sandbox's network");
    std::abort();
  };
  try {
    work();
  } catch (...) {
    leave();
    throw;
  }
  leave();
}

std::uint64_t start_time(pid_t pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (!stat) return 0;
  // The second field is the name in parentheses, which may hold anything.
  const auto name_end = stat->rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= stat->size()) return 0;
  const auto fields = text::split(std::string_view(*stat).substr(name_end + 2), ' ');
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return 0;
  return static_cast<std::uint64_t>(text::number(fields[19]).value_or(0));
}

}  // namespace renga::os

#include "sandbox/root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/fault.h"
#include "base/text.h"
#include "os/file.h"
#include "os/mount.h"
#include "sandbox/common.h"
#include "sandbox/init_plan.h"
#include "sandbox/spec.h"

namespace renga::sandbox {
namespace {

constexpr os::MountAttributes plain = {.no_suid = true, .no_dev = true};
constexpr os::MountAttributes kernels_own = {.no_suid = true, .no_dev = true, .no_exec = true};

// Of most sandboxes: /tmp is made for that, and changed where it is another.
constexpr std::int64_t usual_memory = Limits().memory_bytes;

// What tells of the host or of the kernel's secrets, as moby masks it: files read empty,
// directories are.
constexpr const char* masked[] = {
    "proc/acpi",       "proc/asound",        "proc/interrupts", "proc/kcore",
    "proc/keys",       "proc/latency_stats", "proc/scsi",       "proc/sched_debug",
    "proc/timer_list", "proc/timer_stats",   "sys/firmware",    "sys/devices/virtual/powercap",
};
constexpr const char* read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys",
                                     "proc/sysrq-trigger"};

// Opened without following links, so that nothing that is in a mount already can send it elsewhere.
os::Fd place(const os::Fd& root, const std::string& path) {
  auto target = os::open_inside(root.get(), path, O_PATH);
  if (!target) fault(ENOENT, "find /" + path + " in the sandbox");
  return target;
}

void attach(const os::Fd& root, const os::Fd& mount, const std::string& path) {
  os::attach_mount(mount.get(), place(root, path).get(), "/" + path);
}

// Makes what is missing of an absolute path, step by step, the sandbox's user's own.
void make_path(const os::Fd& root, const std::string& target) {
  std::string path;
  auto parent = place(root, ".");
  for (const auto part : text::split(std::string_view(target).substr(1), '/')) {
    path += (path.empty() ? "" : "/") + std::string(part);
    auto next = os::open_inside(root.get(), path, O_PATH | O_DIRECTORY);
    if (!next) {
      if (mkdirat(parent.get(), std::string(part).c_str(), 0755) != 0 ||
          fchownat(parent.get(), std::string(part).c_str(), init_plan::user, init_plan::user,
                   AT_SYMLINK_NOFOLLOW) != 0)
        fault("make /" + path + " in the sandbox");
      next = os::open_inside(root.get(), path, O_PATH | O_DIRECTORY);
      if (!next) fault(ENOENT, "find /" + path + " in the sandbox");
    }
    parent = std::move(next);
  }
}

void attach_stack(const os::Fd& root, const std::vector<StackPart>& stack) {
  for (const auto& part : stack) {
    if (!part.mount) {
      make_link(root, part.link_to, part.target);
      continue;
    }
    if (part.directory)
      make_directory(root, part.target.c_str());
    else
      make_file(root, part.target, "");
    attach(root, part.mount, part.target);
  }
}

bool is_part(std::string_view target, const std::vector<StackPart>& stack) {
  return std::ranges::any_of(stack, [&](const StackPart& part) { return part.target == target; });
}

// Where none is shared.
void attach_own_sys(const os::Fd& root) {
  try {
    auto kept = kernels_own;
    kept.read_only = true;
    attach(root, os::new_file_system("sysfs", {}, kept), "sys");
  } catch (const std::system_error&) {
    // Not where the host hides parts of its own (some containers): then /sys stays empty, which is
    // less.
  }
}

void write_own_etc(const os::Fd& root, const RootPlan& plan) {
  make_file(root, "run/hosts",
            "127.0.0.1 localhost\n" + plan.address + " " + plan.host_name + "\n");
  make_file(root, "run/resolv.conf", plan.resolver_configuration);
}

// Where none is shared.
void attach_own_dev(const os::Fd& root) {
  const auto dev = os::clone_mount(root.get(), "dev", {.no_suid = true, .no_exec = true});
  fill_dev(dev);
  os::set_attributes(dev.get(), {.read_only = true});
  attach(root, dev, "dev");
}

void attach_devices(const os::Fd& root) {
  for (const auto& device : devices) {
    const auto source = std::string("/dev/") + device.name;
    const auto opened = os::open_file(source, O_PATH | O_NOFOLLOW);
    struct stat info;
    // It could be anything by that name, on a host that somebody has tampered with.
    if (fstat(opened.get(), &info) != 0 || !S_ISCHR(info.st_mode) ||
        info.st_rdev != makedev(device.major, device.minor))
      fault(ENODEV, "find the device that " + source + " should be");
    attach(root, os::clone_mount(opened.get(), "", {}), std::string("dev/") + device.name);
  }
  // "newinstance" has been the only kind since Linux 4.7.
  attach(root,
         os::new_file_system("devpts", {{"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}},
                             {.no_suid = true, .no_exec = true}),
         "dev/pts");
}

void mask(const os::Fd& root, const std::string& path) {
  const auto target = os::open_inside(root.get(), path, O_PATH);
  if (!target) return;
  struct stat info;
  if (fstat(target.get(), &info) != 0) fault("look at /" + path);
  const auto cover = os::clone_mount(root.get(), S_ISDIR(info.st_mode) ? "empty" : "dev/null",
                                     {.read_only = true, .no_suid = true, .no_exec = true});
  os::attach_mount(cover.get(), target.get(), "a cover for /" + path);
}

void cover_kernel_files(const os::Fd& root) {
  make_directory(root, "empty", 0555);
  for (const auto* path : masked) mask(root, path);
  for (int cpu = 0;; ++cpu) {
    const auto directory = "sys/devices/system/cpu/cpu" + std::to_string(cpu);
    if (!os::open_inside(root.get(), directory, O_PATH)) break;
    mask(root, directory + "/thermal_throttle");
  }
  for (const auto* path : read_only) {
    const auto target = os::open_inside(root.get(), path, O_PATH);
    if (!target) continue;
    auto kept = kernels_own;
    kept.read_only = true;
    const auto same = os::clone_mount(target.get(), "", kept);
    os::attach_mount(same.get(), target.get(), "/" + std::string(path) + " read-only");
  }
  // The covers hold on to it; nobody needs to see it.
  if (unlinkat(root.get(), "empty", AT_REMOVEDIR) != 0) fault("remove /empty");
}

// Where programs and buildpacks look for the memory limit: control groups v1's file, on hosts with
// v2 as well, and v2's. The hierarchy itself is the host's.
void attach_limits(const os::Fd& root, const os::Fd& limits) {
  // Not there where /sys is empty.
  make_path(root, "/sys/fs/cgroup");
  attach(root, limits, "sys/fs/cgroup");
}

// A writable place in the root's own file system, to be attached elsewhere.
os::Fd open_place(const os::Fd& root, const char* path, const os::MountAttributes& attributes,
                  mode_t mode) {
  make_directory(root, path);
  // Not as the umask would have it.
  if (fchmodat(root.get(), path, mode, 0) != 0) fault("open /" + std::string(path));
  return os::clone_mount(root.get(), path, attributes);
}

void write_limit(const os::Fd& root, std::int64_t memory_bytes) {
  make_file(root, "sys/fs/cgroup/memory.max", std::to_string(memory_bytes) + "\n");
}

void close_limits(const os::Fd& root) {
  auto kept = kernels_own;
  kept.read_only = true;
  os::set_attributes(place(root, "sys/fs/cgroup").get(), kept);
}

// The old root is stacked onto the new one and then let go of, so that no directory is needed for
// it: pivot_root(2), "pivot_root(".", ".")".
void pivot_into(const os::Fd& root) {
  if (fchdir(root.get()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
    fault("change the sandbox's root");
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) fault("let go of the host's root");
}

}  // namespace

os::Fd enter_root(const std::vector<StackPart>& stack) {
  umask(022);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    fault("separate the sandbox's mounts from the host's");
  auto root = os::new_file_system("tmpfs",
                                  {{"mode", "755"}, {"size", std::to_string(usual_memory)}}, plain);
  // On top of the host's root, which is the one directory that is sure to be there. The process
  // itself stays below until it changes its root.
  os::attach_mount(root.get(), os::open_file("/", O_PATH | O_DIRECTORY).get(), "the new root");

  for (const auto* path : {"app", "dev", "etc", "home", "mnt", "opt", "proc", "run", "srv", "sys",
                           "tmp", "var", "var/cache", "var/lib", "var/log"})
    make_directory(root, path);
  make_directory(root, "root", 0700);
  make_link(root, "../tmp", "var/tmp");
  make_link(root, "../run", "var/run");
  attach_stack(root, stack);
  if (!is_part("etc", stack)) write_common_etc(place(root, "etc"));

  // What is written beside /app, too, is in the root's own file system, where /proc covers it, and
  // has one limit: the kernel has some memory for every file system in every control group, so that
  // a few more in each sandbox are many.
  const auto limits_place = open_place(root, "proc/limits", kernels_own, 0755);
  make_directory(root, "proc/limits/memory");
  const auto temporary = open_place(root, "proc/tmp", plain, 01777);
  const auto shared_memory = open_place(root, "proc/shm", kernels_own, 01777);
  attach(root, os::new_file_system("proc", {}, kernels_own), "proc");
  if (!is_part("sys", stack)) attach_own_sys(root);
  if (!is_part("dev", stack)) attach_own_dev(root);
  attach_devices(root);
  cover_kernel_files(root);
  attach_limits(root, limits_place);
  write_limit(root, usual_memory);
  make_link(root, "../memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes");
  attach(root, temporary, "tmp");
  attach(root, shared_memory, "dev/shm");
  pivot_into(root);
  return root;
}

void furnish_root(const os::Fd& root, const RootPlan& plan) {
  write_own_etc(root, plan);
  if (plan.memory_bytes != usual_memory) {
    if (unlinkat(root.get(), "sys/fs/cgroup/memory.max", 0) != 0) fault("replace a memory limit");
    write_limit(root, plan.memory_bytes);
    os::reconfigure(place(root, "tmp").get(), {{"size", std::to_string(plan.memory_bytes)}});
  }
  close_limits(root);
  if (plan.app) attach(root, plan.app, "app");
  for (const auto& [target, mounted] : plan.mounts) {
    make_path(root, target);
    attach(root, mounted, target.substr(1));
  }
  os::set_attributes(root.get(), {.read_only = true});
}

}  // namespace renga::sandbox

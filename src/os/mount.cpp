#include "os/mount.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/fault.h"

namespace renga::os {
namespace {

std::uint64_t bits(const MountAttributes& attributes) {
  std::uint64_t set = 0;
  if (attributes.read_only) set |= MOUNT_ATTR_RDONLY;
  if (attributes.no_suid) set |= MOUNT_ATTR_NOSUID;
  if (attributes.no_dev) set |= MOUNT_ATTR_NODEV;
  if (attributes.no_exec) set |= MOUNT_ATTR_NOEXEC;
  return set;
}

// What the kernel has to say about a file system that it refuses to make, without its "e " prefix.
std::string complaint(int context) {
  char message[512];
  const auto count = read(context, message, sizeof message - 1);
  if (count <= 2) return {};
  return " (" + std::string(message + 2, static_cast<std::size_t>(count - 2)) + ")";
}

void configure(int context, unsigned command, const char* key, const void* value, int extra,
               const std::string& type) {
  if (fsconfig(context, command, key, value, extra) == 0) return;
  const int error = errno;
  fault(error, "configure " + type + (key != nullptr ? std::string(" ") + key : std::string()) +
                   complaint(context));
}

Fd create(Fd context, const MountAttributes& attributes, const std::string& type) {
  configure(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0, type);
  Fd mount(fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(bits(attributes))));
  if (!mount) fault("mount " + type);
  return mount;
}

Fd open_context(const std::string& type) {
  Fd context(fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context) fault("make a " + type + " file system");
  return context;
}

std::string path_of(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

// An overlay writes in the name of whoever mounts it. Were that root, its user could fill the
// blocks that the disk keeps back for root. While this lives, files are handled in the user's name,
// with the rights that the thread has.
class InTheNameOf {
 public:
  InTheNameOf(uid_t user, gid_t group) : bits_(prctl(PR_GET_SECUREBITS)) {
    if (bits_ < 0 || prctl(PR_SET_SECUREBITS, bits_ | SECBIT_NO_SETUID_FIXUP) != 0)
      fault("keep the rights of a mount's maker");
    // An idmapped mount knows no other group either.
    group_before_ = static_cast<gid_t>(setfsgid(group));
    before_ = static_cast<uid_t>(setfsuid(user));
  }
  ~InTheNameOf() {
    setfsuid(before_);
    setfsgid(group_before_);
    prctl(PR_SET_SECUREBITS, bits_);
  }
  InTheNameOf(const InTheNameOf&) = delete;
  InTheNameOf& operator=(const InTheNameOf&) = delete;

 private:
  const int bits_;
  uid_t before_;
  gid_t group_before_;
};

// `below`: AT_RECURSIVE, for the mounts that are below it, too.
void set_attributes(int mount, const MountAttributes& attributes, unsigned below) {
  mount_attr wanted = {};
  wanted.attr_set = bits(attributes);
  if (attributes.user_namespace >= 0) {
    wanted.attr_set |= MOUNT_ATTR_IDMAP;
    wanted.userns_fd = static_cast<std::uint64_t>(attributes.user_namespace);
  }
  if (wanted.attr_set == 0) return;
  if (mount_setattr(mount, "", AT_EMPTY_PATH | below, &wanted, sizeof wanted) != 0)
    fault("set the attributes of a mount");
}

Fd clone(int directory, const std::string& path, const MountAttributes& attributes,
         unsigned below) {
  Fd mount(
      open_tree(directory, path.c_str(),
                OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below | (path.empty() ? AT_EMPTY_PATH : 0u)));
  if (!mount) fault("clone the mount of " + path);
  try {
    set_attributes(mount.get(), attributes, below);
  } catch (const std::system_error& error) {
    fault(error.code().value(), "set the attributes of a mount of " + path);
  }
  return mount;
}

}  // namespace

Fd clone_mount(int directory, const std::string& path, const MountAttributes& attributes) {
  return clone(directory, path, attributes, 0);
}

Fd clone_mounts(int mount, const MountAttributes& attributes) {
  return clone(mount, "", attributes, AT_RECURSIVE);
}

void set_attributes(int mount, const MountAttributes& attributes) {
  set_attributes(mount, attributes, 0);
}

Fd new_file_system(const std::string& type, const MountOptions& options,
                   const MountAttributes& attributes) {
  auto context = open_context(type);
  for (const auto& [key, value] : options) {
    if (value.empty())
      configure(context.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0, type);
    else
      configure(context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0, type);
  }
  return create(std::move(context), attributes, type);
}

bool has_file_system(const std::string& type) {
  return Fd(fsopen(type.c_str(), FSOPEN_CLOEXEC)) || errno != ENODEV;
}

void reconfigure(int mount, const MountOptions& options) {
  const Fd context(fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
  if (!context) fault("open a mount's file system");
  for (const auto& [key, value] : options)
    configure(context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0, "a file system");
  configure(context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0, "a file system");
}

Fd new_overlay(int lower, int upper, int work, const MountAttributes& attributes) {
  auto context = open_context("overlay");
  // By descriptor since Linux 6.13; before that by the path that /proc has for it.
  const auto add = [&](const char* key, int fd) {
    if (fsconfig(context.get(), FSCONFIG_SET_FD, key, nullptr, fd) == 0) return;
    configure(context.get(), FSCONFIG_SET_STRING, key, path_of(fd).c_str(), 0, "overlay");
  };
  if (fsconfig(context.get(), FSCONFIG_SET_FD, "lowerdir+", nullptr, lower) != 0)
    add("lowerdir", lower);
  add("upperdir", upper);
  add("workdir", work);
  // Nothing of it outlives the sandbox, so nothing needs to reach the disk in order.
  configure(context.get(), FSCONFIG_SET_FLAG, "volatile", nullptr, 0, "overlay");
  // Or renaming a directory of the slug would fail, which programs do not expect.
  configure(context.get(), FSCONFIG_SET_STRING, "redirect_dir", "on", 0, "overlay");
  // Whoever reads `upper` by itself finds whole files there, whatever the kernel's default.
  configure(context.get(), FSCONFIG_SET_STRING, "metacopy", "off", 0, "overlay");
  struct stat owner {};
  if (fstat(upper, &owner) != 0) fault("look at the upper directory of an overlay");
  const InTheNameOf user(owner.st_uid, owner.st_gid);
  return create(std::move(context), attributes, "overlay");
}

Fd view_of_overlay(int lower, int upper) {
  auto context = open_context("overlay");
  if (fsconfig(context.get(), FSCONFIG_SET_FD, "lowerdir+", nullptr, upper) != 0) {
    const auto both = path_of(upper) + ":" + path_of(lower);
    configure(context.get(), FSCONFIG_SET_STRING, "lowerdir", both.c_str(), 0, "overlay");
  } else {
    configure(context.get(), FSCONFIG_SET_FD, "lowerdir+", nullptr, lower, "overlay");
  }
  configure(context.get(), FSCONFIG_SET_STRING, "redirect_dir", "follow", 0, "overlay");
  return create(std::move(context), {.read_only = true, .no_suid = true, .no_dev = true},
                "overlay");
}

void attach_mount(int mount, int target, const std::string& what) {
  if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
    fault("attach " + what);
}

Fd open_inside(int root, const std::string& path, int flags) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  Fd opened(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
  if (!opened && errno != ENOENT && errno != ENOTDIR) fault("open " + path + " in the sandbox");
  return opened;
}

}  // namespace renga::os

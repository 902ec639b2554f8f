#include "os/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/fault.h"
#include "os/fd.h"

namespace renga::os {
namespace {

// Of a newer kernel than the headers we build with may be: linux/landlock.h of Linux 6.2.
constexpr std::uint64_t truncate_file = 1ULL << 14;

constexpr std::uint64_t to_read_file = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t to_write_file = LANDLOCK_ACCESS_FS_WRITE_FILE | truncate_file;
constexpr std::uint64_t to_read = to_read_file | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t to_write =
    to_write_file | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;
// What a plain file can be given; the kernel refuses the rest for one.
constexpr std::uint64_t of_a_file = to_read_file | to_write_file;

// Which of those this kernel knows; 0: no Landlock.
std::uint64_t known_rights() {
  const auto version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP) fault("ask for Landlock");
  if (version <= 0) return 0;
  auto known = to_read | to_write;
  if (version < 2) known &= ~static_cast<std::uint64_t>(LANDLOCK_ACCESS_FS_REFER);
  if (version < 3) known &= ~truncate_file;
  return known;
}

void allow(const Fd& rules, const std::filesystem::path& path, std::uint64_t rights) {
  const Fd opened(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!opened && errno == ENOENT) return;
  if (!opened) fault("open " + path.string());
  struct stat facts = {};
  if (::fstat(opened.get(), &facts) != 0) fault("look at " + path.string());
  if (!S_ISDIR(facts.st_mode)) rights &= of_a_file;
  const landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = opened.get()};
  if (syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    fault("allow " + path.string());
}

void give_up_capabilities() {
  // With no new privileges, running a program does not give root its capabilities back.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fault("give up new privileges");
  // EINVAL ends the capabilities that this kernel knows.
  for (int capability = 0; capability <= 63; ++capability)
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  if (syscall(SYS_capset, &header, none) != 0) fault("give up capabilities");
}

[[noreturn]] void end_like(pid_t child) {
  // Its pipes are the child's alone: whoever reads or writes them sees the child's end.
  ::close_range(0, ~0U, 0);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) ::_exit(126);
  ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

}  // namespace

bool files_can_be_confined() { return known_rights() != 0; }

bool confine_files(const Reach& reach) {
  const auto known = known_rights();
  if (known == 0) return false;
  landlock_ruleset_attr handled = {};
  handled.handled_access_fs = known;
  const Fd rules(static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &handled, sizeof handled.handled_access_fs, 0)));
  if (!rules) fault("make a set of Landlock's rules");
  for (const auto& path : reach.read) allow(rules, path, to_read & known);
  for (const auto& path : reach.write) allow(rules, path, known);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fault("give up new privileges");
  if (syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
    fault("be held to Landlock's rules");
  return true;
}

void go_alone() {
  if (::unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) != 0)
    fault("leave the host's namespaces");
  const auto child = ::fork();
  if (child < 0) fault("make a process");
  if (child > 0) end_like(child);
  // Process 1 ends with the one that waits for it, and all that it started with it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) fault("ask to end with the caller");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
    fault("see this process's own /proc");
  give_up_capabilities();
}

}  // namespace renga::os

#include "init/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/forward.h"
#include "sandbox/init_plan.h"
#include "sandbox/records.h"

namespace renga::init {
namespace {

namespace plan_of = sandbox::init_plan;

struct Texts {
  char** items = nullptr;
  std::size_t count = 0;

  void add(std::string_view text) {
    items = static_cast<char**>(reallocarray(items, count + 2, sizeof(char*)));
    char* copy = items == nullptr ? nullptr : strndup(text.data(), text.size());
    if (copy == nullptr) die("allocate memory");
    items[count++] = copy;
    items[count] = nullptr;
  }
};

char* copy_of(std::string_view text) {
  char* copy = strndup(text.data(), text.size());
  if (copy == nullptr) die("allocate memory");
  return copy;
}

// 127 for a program that is not there, 126 for one that cannot be run: what shells say, and
// Heroku's users know. Said on the command's own standard error, since it is the app that must be
// put right.
[[noreturn]] void refuse(const char* what, const char* name) {
  const int why = errno;
  dprintf(2, "renga: cannot %s %s: %s\n", what, name, strerror(why));
  _exit(why == ENOENT ? 127 : 126);
}

[[noreturn]] void become(const Plan& plan, int out, int err) {
  // A process group and session of its own: a terminal that is handed over becomes its terminal.
  setsid();
  if (isatty(0)) ioctl(0, TIOCSCTTY, 0);
  if (out >= 0 && dup2(out, 1) < 0) _exit(126);
  if (err >= 0 && dup2(err, 2) < 0) _exit(126);
  if (syscall(SYS_close_range, 3, ~0U, 0) != 0) refuse("close descriptors for", plan.argv[0]);

  // What is ignored stays ignored over an exec; the spawner ignores some.
  for (int number = 1; number <= SIGRTMAX; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  umask(022);

  if (setgroups(0, nullptr) != 0 || setresgid(plan_of::user, plan_of::user, plan_of::user) != 0 ||
      setresuid(plan_of::user, plan_of::user, plan_of::user) != 0)
    refuse("become the sandbox's user for", plan.argv[0]);
  // The change of user emptied the permitted set already; the inheritable one goes with this.
  keep_capabilities(0);

  // As the user and after the last descriptor of the platform's is closed, so that no path leads
  // out.
  if (chdir(plan.working_directory) != 0) refuse("change to", plan.working_directory);
  environ = plan.env;
  if (!confine(plan)) refuse("confine", plan.argv[0]);
  if (plan.forward_port > 0) forward(plan.forward_port);
  execvp(plan.argv[0], plan.argv);
  refuse("run", plan.argv[0]);
}

}  // namespace

void die(const char* attempted) {
  dprintf(2, "renga-init: cannot %s: %s\n", attempted, strerror(errno));
  _exit(70);
}

Plan read_plan(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) die("read the plan");
  const auto size = static_cast<std::size_t>(info.st_size);
  void* memory = size == 0 ? MAP_FAILED : mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) die("read the plan");
  close(fd);

  Plan plan;
  Texts arguments, variables;
  std::string_view text(static_cast<const char*>(memory), size);
  sandbox::Record record;
  while (sandbox::next_record(text, record)) {
    switch (record.tag) {
      case plan_of::argument:
        arguments.add(record.bytes);
        break;
      case plan_of::variable:
        variables.add(record.bytes);
        break;
      case plan_of::working_directory:
        plan.working_directory = copy_of(record.bytes);
        break;
      case plan_of::direct_output:
        plan.direct_output = true;
        break;
      case plan_of::beside:
        plan.beside = true;
        break;
      case plan_of::forward_port:
        plan.forward_port = atoi(copy_of(record.bytes));
        break;
      case plan_of::log_socket:
        plan.log_socket = copy_of(record.bytes);
        break;
      case plan_of::log_greeting:
        plan.log_greeting = copy_of(record.bytes);
        break;
      case plan_of::filter: {
        // Copied for its alignment.
        void* filter = malloc(record.bytes.size());
        if (filter == nullptr) die("allocate memory");
        memcpy(filter, record.bytes.data(), record.bytes.size());
        plan.filter = {static_cast<unsigned short>(record.bytes.size() / sizeof(sock_filter)),
                       static_cast<sock_filter*>(filter)};
        break;
      }
      default:
        break;
    }
  }
  errno = EINVAL;
  if (!text.empty() || arguments.count == 0 || plan.filter.len == 0) die("read the plan");
  munmap(memory, size);
  plan.argv = arguments.items;
  if (variables.items == nullptr) variables.items = static_cast<char**>(calloc(1, sizeof(char*)));
  plan.env = variables.items;
  return plan;
}

void keep_capabilities(unsigned long long keep) {
  // EPERM is a later call, without CAP_SETPCAP; EINVAL ends the capabilities that this kernel
  // knows.
  for (int capability = 0; capability <= 63; ++capability)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (unsigned half = 0; half < 2; ++half)
    data[half].effective = data[half].permitted =
        static_cast<__u32>(keep >> (32 * half) & 0xffffffffULL);
  if (syscall(SYS_capset, &header, data) != 0) die("give up capabilities");
}

bool confine(const Plan& plan) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &plan.filter) == 0;
}

pid_t start_command(const Plan& plan, int out, int err) {
  const pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) become(plan, out, err);
  return pid;
}

void become_beside(const Plan& plan) { become(plan, -1, -1); }

}  // namespace renga::init

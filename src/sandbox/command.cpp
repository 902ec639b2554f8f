#include "sandbox/command.h"

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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/forward.h"
#include "sandbox/init_plan.h"
#include "sandbox/records.h"

namespace renga::sandbox {
namespace {

namespace plan_of = init_plan;

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

void refuse_to_confine() { refuse("confine", "the command"); }

// What every command has in common, and what it is told does not change.
void become_user() {
  // A process group and session of its own: a terminal that is handed over becomes its terminal.
  setsid();
  // What is ignored stays ignored over an exec; the spawner ignores some.
  for (int number = 1; number <= SIGRTMAX; ++number) signal(number, SIG_DFL);
  umask(022);
  if (setgroups(0, nullptr) != 0 || setresgid(plan_of::user, plan_of::user, plan_of::user) != 0 ||
      setresuid(plan_of::user, plan_of::user, plan_of::user) != 0)
    refuse("become", "the sandbox's user");
  // The change of user emptied the permitted set already; the inheritable one goes with this.
  keep_capabilities(0);
}

bool close_range_of(unsigned first, unsigned last) {
  return syscall(SYS_close_range, first, last, 0) == 0;
}

// `kept`: a socket, which tells by its end that the command runs. Negative: none.
[[noreturn]] void execute(const Plan& plan, int kept) {
  if (isatty(0)) ioctl(0, TIOCSCTTY, 0);
  if (!close_range_of(3, kept < 0 ? ~0U : static_cast<unsigned>(kept) - 1) ||
      (kept >= 0 && (!close_range_of(static_cast<unsigned>(kept) + 1, ~0U) ||
                     fcntl(kept, F_SETFD, FD_CLOEXEC) != 0)))
    refuse("close descriptors for", plan.argv[0]);
  // As the user and after the last descriptor of the platform's that leads anywhere is closed, so
  // that no path leads out.
  if (chdir(plan.working_directory) != 0) refuse("change to", plan.working_directory);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  environ = plan.env;
  if (plan.forward_port > 0) forward(plan.forward_port);
  execvp(plan.argv[0], plan.argv);
  refuse("run", plan.argv[0]);
}

// Ends the process when there is nothing to become (any more).
void receive(int socket, int* descriptors, std::size_t count) {
  char byte = 0;
  iovec part = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 4)];
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size = 0;
  while ((size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  const cmsghdr* rights = size > 0 ? CMSG_FIRSTHDR(&header) : nullptr;
  if (rights == nullptr || rights->cmsg_len != CMSG_LEN(sizeof(int) * count)) _exit(126);
  memcpy(descriptors, CMSG_DATA(rights), sizeof(int) * count);
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
  Record record;
  while (next_record(text, record)) {
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
  if (!text.empty() || plan.filter.len == 0) die("read the plan");
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

void withdraw() {
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NAME, "renga-init");
  keep_capabilities((1ULL << CAP_KILL) | (1ULL << CAP_SETUID) | (1ULL << CAP_SETGID));
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
}

void wait_to_become() {
  // What the holder had open, and needs no more of here.
  if (!close_range_of(plan_of::wait_fd + 1, ~0U)) refuse_to_confine();
  withdraw();
  become_user();
  if (!confine(read_plan(plan_of::plan_fd))) refuse_to_confine();
  int given[4];
  receive(plan_of::wait_fd, given, 4);
  for (int stream = 0; stream < 3; ++stream)
    if (dup2(given[1 + stream], stream) < 0) _exit(126);
  execute(read_plan(given[0]), plan_of::wait_fd);
}

void become_beside(const Plan& plan) {
  become_user();
  if (!confine(plan)) refuse_to_confine();
  execute(plan, -1);
}

}  // namespace renga::sandbox

#include "sandbox/joiner.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fault.h"
#include "os/file.h"
#include "os/namespaces.h"
#include "sandbox/descriptors.h"

namespace renga::sandbox {
namespace {

constexpr int join_limit_ms = 20'000;
constexpr int hang_up_limit_ms = 5'000;

[[noreturn]] void complain(int socket, const std::exception& error) {
  const std::string text = error.what();
  ::send(socket, text.data(), std::min<std::size_t>(text.size(), 2000), MSG_NOSIGNAL);
  _exit(1);
}

// In the sandbox, as its root for a moment, until it is renga-init's copy.
[[noreturn]] void become_command(const Joining& joining, int complaints) {
  try {
    if (setgroups(0, nullptr) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
      fault("become the root of the sandbox");
    set_sandbox_limits();
    const int init = out_of_the_way(joining.init);
    complaints = out_of_the_way(complaints);
    arrange_descriptors({joining.input, joining.output, joining.output, joining.plan.get()});
    char name[] = "renga-init";
    char* const argv[] = {name, nullptr};
    char* const env[] = {nullptr};
    syscall(SYS_execveat, init, "", argv, env, AT_EMPTY_PATH);
    fault("execute renga-init");
  } catch (const std::exception& error) {
    complain(complaints, error);
  }
}

[[noreturn]] void enter(const Joining& joining, const os::Fd& sandbox, int tell, int complaints) {
  try {
    for (const auto& file : joining.group.attach)
      if (write(file.get(), "0", 1) != 1) fault("join the sandbox's control groups");
    if (setns(sandbox.get(), CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET |
                                 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) != 0)
      fault("enter the sandbox's namespaces");
    const auto command = os::fork_into(CLONE_PARENT);
    if (command.pid == 0) become_command(joining, complaints);
    if (write(tell, &command.pid, sizeof command.pid) != sizeof command.pid) _exit(1);
    _exit(0);
  } catch (const std::exception& error) {
    complain(complaints, error);
  }
}

// Until the command has ended.
[[noreturn]] void watch_over(pid_t command, const os::Fd& ended, int leash) {
  bool hung_up = false, killed = false;
  while (true) {
    int raw = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &raw, WNOHANG)) > 0) {
      if (pid != command) continue;  // the entrant
      const int status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
      ::send(leash, &status, sizeof status, MSG_NOSIGNAL);
      _exit(0);
    }
    if (pid < 0 && errno == ECHILD) _exit(0);

    pollfd waits[] = {{ended.get(), POLLIN, 0},
                      {hung_up ? -1 : leash, static_cast<short>(POLLIN | POLLRDHUP), 0}};
    const int ready = poll(waits, 2, hung_up && !killed ? hang_up_limit_ms : -1);
    signalfd_siginfo info;
    while (read(ended.get(), &info, sizeof info) > 0) continue;
    int number = 0;
    if (ready > 0 && waits[1].revents != 0) {
      hung_up = true;
      number = SIGHUP;
    } else if (ready == 0) {
      killed = true;
      number = SIGKILL;
    }
    // It was not waited for yet, so the number is still its own; it leads a process group.
    if (number != 0) {
      ::kill(-command, number);
      ::kill(command, number);
    }
  }
}

[[noreturn]] void help(const Joining& joining, const os::Fd& sandbox, int complaints) {
  try {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    const int leash = out_of_the_way(joining.leash);
    int told[2];
    if (pipe2(told, O_CLOEXEC) != 0) fault("make a pipe");
    const auto entrant = os::fork_into(0, joining.group.v2 ? joining.group.v2.get() : -1);
    if (entrant.pid == 0) {
      close(leash);
      enter(joining, sandbox, told[1], complaints);
    }
    close(told[1]);
    pid_t command = -1;
    ssize_t got = 0;
    while ((got = read(told[0], &command, sizeof command)) < 0 && errno == EINTR) continue;
    if (got != sizeof command) _exit(1);  // the entrant said why
    // The spawner's socket among them: control must see the end of the spawner.
    if (dup3(leash, 3, O_CLOEXEC) < 0) fault("keep the leash");
    if (syscall(SYS_close_range, 4, ~0U, 0) != 0) fault("close descriptors");
    setsid();
    os::Fd ended(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!ended) fault("watch for ended processes");
    watch_over(command, ended, 3);
  } catch (const std::exception& error) {
    complain(complaints, error);
  }
}

}  // namespace

Result<void> join_sandbox(const Joining& joining) {
  const os::Fd sandbox(static_cast<int>(syscall(SYS_pidfd_open, joining.running.init_pid, 0)));
  // Looked at once it is held: the pid may be another's by now.
  if (!sandbox || os::start_time(joining.running.init_pid) != joining.running.started)
    return fail(Kind::not_found, "The dyno does not run any more");
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fault("make a socket pair");
  const os::Fd ours(ends[0]);
  os::Fd theirs(ends[1]);
  const auto helper = os::fork_into(0);
  if (helper.pid == 0) help(joining, sandbox, theirs.get());
  theirs.close();
  pollfd ready{ours.get(), POLLIN, 0};
  int count = 0;
  while ((count = poll(&ready, 1, join_limit_ms)) < 0 && errno == EINTR) continue;
  if (count == 0) {
    syscall(SYS_pidfd_send_signal, helper.pidfd.get(), SIGKILL, nullptr, 0);
    return fail(Kind::unavailable, "The kernel took too long");
  }
  char text[2048];
  const auto size = recv(ours.get(), text, sizeof text, 0);
  // Closed by its exec, when all went well.
  if (size <= 0) return {};
  return fail(Kind::unavailable, std::string(text, static_cast<std::size_t>(size)));
}

}  // namespace renga::sandbox

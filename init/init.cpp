// renga-init: PID 1 of a sandbox. Starts the command as the sandbox's user, reaps whatever is
// orphaned, carries the output to the log socket, and writes how the command ended to the exit
// file. It ends when the command does, and everything else inside with it. It is root only in the
// sandbox's own user namespace, with one capability left (to end the others), and cannot be looked
// into from inside.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/log_pump.h"
#include "sandbox/command.h"
#include "sandbox/init_plan.h"

namespace renga::init {
namespace {

namespace plan_of = sandbox::init_plan;
using sandbox::die;

// How long the last lines may wait for control to take them.
constexpr std::int64_t flush_ms = 5000;

struct Ended {
  bool yes = false;
  int raw = 0;
};

void reap(pid_t command, Ended& ended) {
  int raw = 0;
  for (pid_t pid; (pid = waitpid(-1, &raw, WNOHANG)) > 0;)
    if (pid == command) ended = {true, raw};
}

// Until no process is left but this one. What is forked meanwhile gets the next round's signal.
void end_everything() {
  while (true) {
    kill(-1, SIGKILL);
    if (waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) return;
  }
}

void write_exit(int raw) {
  char text[32];
  const int length = WIFSIGNALED(raw) ? snprintf(text, sizeof text, "signal %d\n", WTERMSIG(raw))
                                      : snprintf(text, sizeof text, "exit %d\n", WEXITSTATUS(raw));
  // One write: a reader sees all of it or nothing. With a full disk it stays empty, and the sandbox
  // counts as killed.
  if (write(plan_of::exit_fd, text, static_cast<std::size_t>(length)) != length) return;
  fsync(plan_of::exit_fd);
}

void wait_a_turn(int signals, LogPump& pump, int limit_ms) {
  pollfd waits[4] = {{signals, POLLIN, 0}, {}, {}, {}};
  pump.wanted(waits + 1);
  const int patience = pump.patience();
  if (patience >= 0 && (limit_ms < 0 || patience < limit_ms)) limit_ms = patience;
  if (poll(waits, 4, limit_ms) < 0) return;
  signalfd_siginfo info;
  if (waits[0].revents != 0 && read(signals, &info, sizeof info) < 0) return;
  pump.happened(waits + 1);
}

int open_or_none(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1; }

int run(pid_t command) {
  sandbox::withdraw();
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) die("watch signals");

  const auto plan = sandbox::read_plan(plan_of::plan_fd);
  if (plan.beside) sandbox::become_beside(plan);
  sandbox::keep_capabilities(1ULL << CAP_KILL);
  if (!sandbox::confine(plan)) die("confine itself");
  for (int fd = 0; fd < 3; ++fd) close(fd);

  // Static, for its size. The only one, as this is the only turn of the program.
  static LogPump pump(open_or_none(plan_of::out_fd), open_or_none(plan_of::err_fd),
                      plan_of::log_directory_fd, plan.log_socket, plan.log_greeting);
  Ended ended;
  while (true) {
    reap(command, ended);
    if (ended.yes) break;
    wait_a_turn(signals, pump, -1);
  }
  end_everything();
  write_exit(ended.raw);
  pump.finish_reading();
  const auto give_up_at = monotonic_ms() + flush_ms;
  while (pump.pending() && monotonic_ms() < give_up_at)
    wait_a_turn(signals, pump, static_cast<int>(give_up_at - monotonic_ms()));
  return 0;
}

}  // namespace
}  // namespace renga::init

int main(int argc, char** argv) { return renga::init::run(argc > 1 ? atoi(argv[1]) : -1); }

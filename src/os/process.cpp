#include "os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/fault.h"

extern char** environ;

namespace renga::os {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t most_output = 64u << 20;

struct Pipe {
  Fd read, write;
};

Fd copy_above(int fd, int lowest) {
  const int copy = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
  if (copy < 0) fault("duplicate a descriptor for a child");
  return Fd(copy);
}

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fault("make a pipe for a child");
  return {Fd(ends[0]), Fd(ends[1])};
}

std::vector<std::string> environment(const Command& command) {
  auto all = command.env;
  if (!command.clear_env) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      const auto equals = text.find('=');
      if (equals == std::string_view::npos) continue;
      all.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  std::vector<std::string> entries;
  entries.reserve(all.size());
  for (const auto& [name, value] : all) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// What posix_spawn is told, freed with its owner.
class Plan {
 public:
  Plan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~Plan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // posix_spawn's helpers return an error number that can only be out of memory or bad use.
  static void check(int error) {
    if (error != 0) fault(error, "prepare a child");
  }
  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

int status_of(int raw) { return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw); }

// Keeps SIGPIPE from this thread while it writes to a child that may have closed its input.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoBrokenPipeSignal() {
    const timespec now{};
    if (!was_pending_)
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) continue;
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

void make_nonblocking(const Fd& fd) {
  const int flags = fcntl(fd.get(), F_GETFL);
  if (flags < 0 || fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    fault("make a child's pipe non-blocking");
}

// Reads what is there; closes `from` at its end.
void drain(Fd& from, std::string& into) {
  char buffer[65536];
  while (from) {
    const auto count = read(from.get(), buffer, sizeof buffer);
    if (count > 0) {
      const auto room = most_output - std::min(most_output, into.size());
      into.append(buffer, std::min(room, static_cast<std::size_t>(count)));
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    from.close();
  }
}

// Writes what fits; closes `to` when all is written or nobody reads.
void feed(Fd& to, std::string_view& input) {
  while (to) {
    if (input.empty()) return to.close();
    const auto count = write(to.get(), input.data(), input.size());
    if (count >= 0) {
      input.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return;
    to.close();
  }
}

}  // namespace

Child::Child(const Command& command, Streams streams) {
  Fd child_in, child_out, child_err;
  if (streams.in) {
    child_in = copy_above(*streams.in, 3);
  } else {
    auto made = make_pipe();
    child_in = std::move(made.read);
    in_ = std::move(made.write);
  }
  if (streams.out) {
    child_out = copy_above(*streams.out, 3);
  } else {
    auto made = make_pipe();
    child_out = std::move(made.write);
    out_ = std::move(made.read);
  }
  if (streams.err) {
    child_err = copy_above(*streams.err, 3);
  } else if (streams.separate_err) {
    auto made = make_pipe();
    child_err = std::move(made.write);
    err_ = std::move(made.read);
  }
  // Copies above every number that they are to get in the child, or putting one in place would
  // close another.
  std::vector<Fd> owned;
  std::vector<int> descriptors = {child_in.get(), child_out.get(),
                                  child_err ? child_err.get() : child_out.get()};
  const int first_free = 3 + static_cast<int>(streams.extra.size());
  descriptors.insert(descriptors.end(), streams.extra.begin(), streams.extra.end());
  for (int& descriptor : descriptors) {
    if (descriptor >= first_free) continue;
    owned.push_back(copy_above(descriptor, first_free));
    descriptor = owned.back().get();
  }
  spawn(command, descriptors);
}

void Child::spawn(const Command& command, const std::vector<int>& descriptors) {
  if (command.argv.empty()) fault(EINVAL, "start a program without a name");

  Plan plan;
  int number = 0;
  for (const int descriptor : descriptors)
    Plan::check(posix_spawn_file_actions_adddup2(plan.actions(), descriptor, number++));
  Plan::check(posix_spawn_file_actions_addclosefrom_np(plan.actions(), number));
  if (!command.directory.empty())
    Plan::check(posix_spawn_file_actions_addchdir_np(plan.actions(), command.directory.c_str()));

  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  Plan::check(posix_spawnattr_setsigmask(plan.attributes(), &none));
  Plan::check(posix_spawnattr_setsigdefault(plan.attributes(), &all));
  if (command.own_group) {
    flags = static_cast<short>(flags | POSIX_SPAWN_SETPGROUP);
    Plan::check(posix_spawnattr_setpgroup(plan.attributes(), 0));
  }
  Plan::check(posix_spawnattr_setflags(plan.attributes(), flags));

  auto arguments = command.argv;
  auto variables = environment(command);
  const auto argv = pointers(arguments);
  const auto envp = pointers(variables);
  const int error =
      posix_spawnp(&pid_, argv[0], plan.actions(), plan.attributes(), argv.data(), envp.data());
  if (error != 0) {
    pid_ = -1;
    auto attempted = "start " + command.argv[0];
    if (!command.directory.empty()) attempted += " in " + command.directory.string();
    fault(error, attempted);
  }
  own_group_ = command.own_group;
  // The pid cannot be another process's yet: only this object reaps it.
  pidfd_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) {
    const int why = errno;
    ::kill(pid_, SIGKILL);
    wait();
    fault(why, "watch " + command.argv[0]);
  }
}

Child::~Child() {
  if (pid_ < 0 || status_) return;
  signal(SIGKILL);
  wait();
}

void Child::signal(int number) {
  if (status_) return;
  ::kill(own_group_ ? -pid_ : pid_, number);
}

int Child::wait() {
  if (status_) return *status_;
  int raw = 0;
  while (waitpid(pid_, &raw, 0) < 0)
    if (errno != EINTR) fault("wait for process " + std::to_string(pid_));
  status_ = status_of(raw);
  return *status_;
}

std::optional<int> Child::wait_for(std::chrono::milliseconds limit) {
  if (status_) return status_;
  const auto deadline = Steady::now() + limit;
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
    pollfd ended{pidfd_.get(), POLLIN, 0};
    const int ready = poll(&ended, 1, static_cast<int>(std::clamp<long long>(left, 0, INT_MAX)));
    if (ready > 0) return wait();
    if (ready < 0 && errno != EINTR) fault("wait for process " + std::to_string(pid_));
    if (left <= 0) return std::nullopt;
  }
}

Output run(const Command& command, std::string_view input, std::chrono::milliseconds limit) {
  const auto deadline = Steady::now() + limit;
  NoBrokenPipeSignal quiet;
  Child child(command, {.separate_err = true});
  Output output;
  make_nonblocking(child.in());
  make_nonblocking(child.out());
  make_nonblocking(child.err());

  auto give_up_at = deadline;
  std::optional<int> status;
  while (child.out() || child.err() || !status) {
    feed(child.in(), input);
    drain(child.out(), output.out);
    drain(child.err(), output.err);
    if (!status && (status = child.wait_for({})))
      give_up_at = std::min(deadline, Steady::now() + std::chrono::seconds(1));
    if (status && !child.out() && !child.err()) break;

    const auto now = Steady::now();
    if (now >= give_up_at) {
      if (status) break;
      // Killed by the destructor.
      fault(ETIMEDOUT,
            "run " + command.argv[0] + " within " + std::to_string(limit.count()) + " ms");
    }
    if (!child.in() && !child.out() && !child.err()) {
      status = child.wait_for(std::chrono::ceil<std::chrono::milliseconds>(give_up_at - now));
      continue;
    }
    // A closed descriptor is -1, which poll passes over. The end of the child itself is looked for
    // every 20 ms at the latest, since its pipes say nothing when a grandchild holds them.
    pollfd waits[] = {{child.in().get(), POLLOUT, 0},
                      {child.out().get(), POLLIN, 0},
                      {child.err().get(), POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up_at - now).count();
    if (poll(waits, 3, static_cast<int>(std::min<long long>(left, 20))) < 0 && errno != EINTR)
      fault("wait for the output of " + command.argv[0]);
  }
  output.status = *status;
  return output;
}

}  // namespace renga::os

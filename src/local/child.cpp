#include "local/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <map>

#include "base/fault.h"
#include "base/text.h"
#include "os/file.h"

namespace renga::local {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

void set_nonblocking(const os::Fd& fd) {
  if (fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0)
    fault("make a process's output non-blocking");
}

struct Terminal {
  os::Fd ours, theirs;
};

Terminal make_terminal() {
  Terminal terminal{os::Fd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), {}};
  std::array<char, 64> name{};
  if (!terminal.ours || grantpt(terminal.ours.get()) != 0 || unlockpt(terminal.ours.get()) != 0 ||
      ptsname_r(terminal.ours.get(), name.data(), name.size()) != 0)
    fault("make a terminal for a process");
  terminal.theirs = os::open_file(name.data(), O_RDWR | O_NOCTTY);
  termios modes{};
  if (tcgetattr(terminal.theirs.get(), &modes) == 0) {
    // Lines get their end from us; nothing is typed, so nothing is to be echoed.
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(terminal.theirs.get(), TCSANOW, &modes);
  }
  copy_window_size(STDOUT_FILENO, terminal.ours.get());
  return terminal;
}

// Between fork and exec: system calls only.
[[noreturn]] void become(const std::array<int, 3>& streams, bool is_terminal, const char* directory,
                         pid_t parent, char* const* argv, char* const* environment) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it died before we asked
  for (int number = 0; number < 3; ++number)
    dup2(streams[static_cast<std::size_t>(number)], number);
  if (is_terminal) ioctl(0, TIOCSCTTY, 0);
  struct sigaction normal {};
  normal.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &normal, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (chdir(directory) == 0) execve("/bin/sh", argv, environment);
  constexpr std::string_view said = "renga: cannot start /bin/sh in this directory.\n";
  if (write(2, said.data(), said.size()) < 0) _exit(126);
  _exit(127);
}

// The numbers in /proc.
template <class Each>
void each_process(Each each) {
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone))
    if (const auto pid = text::number(entry.path().filename().native()))
      each(static_cast<pid_t>(*pid));
}

pid_t parent_of(pid_t pid) {
  const auto fd =
      os::Fd(open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[1024];
  const auto count = fd ? read(fd.get(), buffer, sizeof buffer) : -1;
  if (count <= 0) return -1;  // it ended meanwhile
  // "pid (name) state ppid": the name may hold anything, but no ')' comes after it.
  const std::string_view stat(buffer, static_cast<std::size_t>(count));
  const auto end = stat.rfind(')');
  if (end == std::string_view::npos) return -1;
  const auto fields = text::split(stat.substr(end + 1), ' ');
  return fields.size() > 2 ? static_cast<pid_t>(text::number(fields[2]).value_or(-1)) : -1;
}

}  // namespace

Started start_shell(const std::string& command, const Environment& environment,
                    const std::filesystem::path& directory, Streams streams, int input) {
  std::vector<std::string> words = {"sh", "-c", command};
  std::vector<std::string> entries;
  for (const auto& [name, value] : environment) entries.push_back(name + "=" + value);
  const auto argv = pointers(words), envp = pointers(entries);

  Started started;
  os::Fd theirs;
  if (streams == Streams::terminal) {
    auto terminal = make_terminal();
    started.output = std::move(terminal.ours);
    theirs = std::move(terminal.theirs);
    input = theirs.get();
  } else {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fault("make a pipe for a process");
    started.output = os::Fd(ends[0]);
    theirs = os::Fd(ends[1]);
  }
  set_nonblocking(started.output);

  // Not os::Child: a session with its own terminal needs steps that posix_spawn does not have.
  const pid_t parent = getpid();
  started.pid = fork();
  if (started.pid < 0) fault("start a process");
  if (started.pid == 0)
    become({input, theirs.get(), theirs.get()}, streams == Streams::terminal, directory.c_str(),
           parent, argv.data(), envp.data());
  return started;
}

void copy_window_size(int from, int terminal) {
  winsize size{};
  if (ioctl(from, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) ioctl(terminal, TIOCSWINSZ, &size);
}

void set_echo(int terminal, Echo echo) {
  termios modes{};
  // A program that reads key by key paints for itself.
  if (tcgetattr(terminal, &modes) != 0 || (modes.c_lflag & ICANON) == 0) return;
  if (echo == Echo::on) {
    modes.c_oflag |= OPOST | ONLCR;
    modes.c_lflag |= ECHO;
  } else {
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  }
  tcsetattr(terminal, TCSANOW, &modes);
}

std::vector<pid_t> descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  each_process([&](pid_t pid) { children.emplace(parent_of(pid), pid); });
  std::vector<pid_t> all, next = {root};
  while (!next.empty()) {
    const auto pid = next.back();
    next.pop_back();
    const auto [begin, end] = children.equal_range(pid);
    for (auto child = begin; child != end; ++child) {
      all.push_back(child->second);
      next.push_back(child->second);
    }
  }
  return all;
}

std::vector<pid_t> orphans_with(const std::string& entry) {
  std::vector<pid_t> all;
  const auto self = getpid();
  each_process([&](pid_t pid) {
    if (parent_of(pid) != self) return;
    try {
      const auto environment = os::read_file("/proc/" + std::to_string(pid) + "/environ");
      if (!environment) return;
      for (const auto one : text::split(*environment, '\0'))
        if (one == entry) return all.push_back(pid);
    } catch (const std::system_error&) {
      // Another user's, or gone.
    }
  });
  return all;
}

}  // namespace renga::local

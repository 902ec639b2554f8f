#include "router/router_launch.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>

#include "base/fault.h"
#include "base/text.h"

namespace renga::router {

namespace {

// What a router may know of control's environment, which can have secrets in it.
constexpr std::array<std::string_view, 7> passed_on = {
    "PATH=",          "TZ=",          "LANG=", "LD_LIBRARY_PATH=", "ASAN_OPTIONS=",
    "UBSAN_OPTIONS=", "TSAN_OPTIONS="};

std::vector<std::string> router_environment() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    for (const auto name : passed_on) {
      if (std::string_view(*entry).starts_with(name)) kept.emplace_back(*entry);
    }
  }
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// Between fork(2) and exec(2) of a process with threads: async-signal-safe calls only.
[[noreturn]] void become_router(const char* program, char* const* argv, char* const* environment,
                                int null, int log, const std::vector<int>& kept, int told) {
  ::setsid();
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  // Whatever somebody forgot to mark; then what is meant to be kept.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const int fd : kept) ::fcntl(fd, F_SETFD, 0);
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(program, argv, environment);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(told, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

int launch_router(const RouterLinkOptions& options, const Sockets& sockets, const os::Fd& lock) {
  std::vector<int> kept{lock.get()};
  const auto listed = [&](const std::vector<os::Fd>& listeners) {
    std::string list;
    for (const auto& listener : listeners) {
      list += (list.empty() ? "" : ",") + std::to_string(listener.get());
      kept.push_back(listener.get());
    }
    return list;
  };
  std::vector<std::string> arguments = {"renga",       "router",
                                        "--directory", options.directory.string(),
                                        "--http",      options.http,
                                        "--threads",   std::to_string(sockets.http.size()),
                                        "--listeners", listed(sockets.http),
                                        "--lock",      std::to_string(lock.get())};
  const auto add = [&](const char* name, std::string value) {
    arguments.emplace_back(name);
    arguments.push_back(std::move(value));
  };
  if (!options.https.empty()) {
    add("--https", options.https);
    add("--https-listeners", listed(sockets.https));
  }
  if (!options.secret_key.empty()) add("--secret-key", options.secret_key.string());
  if (options.user != 0) add("--user", std::to_string(options.user));
  auto environment = router_environment();
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  const std::string program = options.program.string();

  const auto log_path = options.directory / "router.log";
  const os::Fd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log) fault("open " + log_path.string());
  const os::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) fault("open /dev/null");
  int told[2];
  if (::pipe2(told, O_CLOEXEC) != 0) fault("pipe");
  const os::Fd hears(told[0]);
  os::Fd tells(told[1]);

  const pid_t pid = ::fork();
  if (pid < 0) fault("fork for the router");
  if (pid == 0) {
    become_router(program.c_str(), argv.data(), envp.data(), null.get(), log.get(), kept,
                  tells.get());
  }
  tells.close();
  int error = 0;
  if (::read(hears.get(), &error, sizeof error) == sizeof error) fault(error, "run " + program);
  return pid;
}

int running_router(const std::filesystem::path& directory) {
  int pid = 0;
  std::ifstream(directory / "router.lock") >> pid;
  if (pid <= 1) return 0;
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  const std::string command(std::istreambuf_iterator<char>(file), {});
  const auto words = text::split(command, '\0');
  const bool router = words.size() > 3 && words[1] == "router";
  for (std::size_t i = 2; router && i + 1 < words.size(); ++i) {
    if (words[i] == "--directory" && words[i + 1] == directory.string()) return pid;
  }
  return 0;
}

}  // namespace renga::router

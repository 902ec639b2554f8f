// What bench/dynos.py measures with, since Python is slower than what is measured. The spawner is
// the server's own program. Every figure is a line on standard output.
//   peer RUNS ADDRESS PORT NETNS -- ARGV…    starts a command, milliseconds to the first byte
//   start RUNS HOLDERS PROGRAM               the same of a sandbox of ours
//   alone COUNT PROGRAM                      many bare processes: memory
//   crowd COUNT HOLDERS PROGRAM              many at once: starts, memory, stop
//   freeze RUNS                              a Python server: milliseconds from frozen to first
//   byte
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/fault.h"
#include "base/id.h"
#include "base/random.h"
#include "os/fd.h"
#include "os/file.h"
#include "sandbox/freezer.h"
#include "sandbox/spawner.h"

namespace {

using namespace renga;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds limit{30};

double milliseconds_since(Steady::time_point start) {
  return std::chrono::duration<double, std::milli>(Steady::now() - start).count();
}

// Before each start, of ours and of peers: a machine that has just done nothing else answers more
// slowly. All holders are made by then, and have joined their control groups.
void rest() { usleep(100'000); }

// Asks until somebody answers; every 50 us, as the quickest of the peers deserves.
void await_first_byte(const std::string& address, int port) {
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  const auto deadline = Steady::now() + limit;
  while (Steady::now() < deadline) {
    const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      usleep(50);
      continue;
    }
    constexpr std::string_view request = "GET / HTTP/1.0\r\n\r\n";
    char byte = 0;
    if (send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
        recv(socket.get(), &byte, 1, 0) == 1)
      return;
  }
  fault(ETIMEDOUT, "hear the first byte from " + address);
}

int measure_peer(char** arguments) {
  const int runs = std::atoi(arguments[0]);
  const std::string address = arguments[1], netns = arguments[3];
  char** argv = arguments + 5;
  for (int run = 0; run < runs; ++run) {
    rest();
    const auto start = Steady::now();
    const auto pid = fork();
    if (pid == 0) {
      if (netns != "-") {
        const auto there = os::open_file(netns, O_RDONLY);
        if (setns(there.get(), CLONE_NEWNET) != 0) _exit(126);
      }
      execvp(argv[0], argv);
      _exit(127);
    }
    await_first_byte(address, std::atoi(arguments[2]));
    std::printf("%f\n", milliseconds_since(start));
    int status = 0;
    waitpid(pid, &status, 0);
  }
  return 0;
}

// A server's worth of sandboxes in a directory of its own.
class House {
 public:
  explicit House(std::size_t holders) {
    // On a disk, as a server's data are; /tmp is memory on many machines.
    std::string pattern = "/var/tmp/renga-bench-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) fault("make a directory");
    directory = pattern;
    const auto programs = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    setenv("RENGA_HOLDERS", std::to_string(holders).c_str(), 1);
    options = {.program = programs / "renga-spawner",
               .init_program = programs / "renga-init",
               .run_directory = directory / "run",
               .server_name = "bench" + random_hex(3)};
    spawner.emplace(options);
    std::filesystem::create_directory(directory / "app");
    if (chmod(directory.c_str(), 0755) != 0 || chown((directory / "app").c_str(), 1000, 1000) != 0)
      fault("make an app");
  }
  ~House() {
    for (const auto& id : spawner->ids()) spawner->remove(id);
    spawner->leave_host();
    spawner.reset();
    std::filesystem::remove_all(directory);
  }

  void add(const std::string& program) {
    std::filesystem::copy(program, directory / "app" / "server");
  }
  sandbox::Spec spec(std::vector<std::string> argv) const {
    sandbox::Spec made;
    made.id = new_uuid();
    made.name = "web.1";
    made.stack = "host";
    made.uid_base = 200'000;
    made.app_directory = directory / "app";
    made.argv = std::move(argv);
    made.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/app"}};
    return made;
  }
  sandbox::Running start(const sandbox::Spec& spec) {
    auto started = spawner->start(spec);
    if (!started) {
      std::fprintf(stderr, "%s\n", started.error().message.c_str());
      std::exit(1);
    }
    return *started;
  }

  std::filesystem::path directory;
  sandbox::SpawnerOptions options;
  std::optional<sandbox::Spawner> spawner;
};

int measure_starts(int runs, std::size_t holders, const std::string& program) {
  House house(holders);
  house.add(program);
  for (int run = -1; run < runs; ++run) {
    rest();
    const auto spec = house.spec({"/app/server", "5000", "once"});
    const auto start = Steady::now();
    const auto running = house.start(spec);
    await_first_byte(running.address, 5000);
    if (run >= 0) std::printf("%f\n", milliseconds_since(start));
    house.spawner->remove(spec.id);
  }
  return 0;
}

std::int64_t available_kib() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  for (std::int64_t value = 0; file >> name >> value; std::getline(file, unit))
    if (name == "MemAvailable:") return value;
  return 0;
}

// What the kernel's objects of 1 KiB take. Nearly all are its lists of file systems, of which each
// control group of memory has one for every 64 that there were at once since the machine was
// booted. Negative: the kernel does not say.
std::int64_t list_kib() {
  std::ifstream file("/proc/slabinfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string name;
    std::int64_t used = 0, all = 0;
    if (fields >> name >> used >> all && name == "kmalloc-1k") return all;
  }
  return -1;
}

int measure_alone(int count, const char* program) {
  const auto before = available_kib();
  std::vector<pid_t> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(fork());
    if (all.back() == 0) {
      execl(program, program, "0", nullptr);
      _exit(127);
    }
  }
  usleep(300'000);
  std::printf("kib_each %f\n", static_cast<double>(before - available_kib()) / count);
  for (const auto pid : all) kill(pid, SIGKILL);
  for (const auto pid : all) waitpid(pid, nullptr, 0);
  return 0;
}

int measure_crowd(int count, std::size_t holders, const std::string& program) {
  House house(holders);
  house.add(program);
  house.spawner->remove(house.start(house.spec({"/app/server", "5000"})).id);
  usleep(300'000);
  const auto before = available_kib(), lists_before = list_kib();

  std::vector<sandbox::Running> all;
  const auto start = Steady::now();
  for (int i = 0; i < count; ++i) all.push_back(house.start(house.spec({"/app/server", "5000"})));
  std::printf("starts_per_s %f\n", 1000.0 * count / milliseconds_since(start));
  usleep(300'000);
  std::printf("kib_each %f\n", static_cast<double>(before - available_kib()) / count);
  if (lists_before >= 0)
    std::printf("list_kib_each %f\n", static_cast<double>(list_kib() - lists_before) / count);
  for (const auto& running : all) await_first_byte(running.address, 5000);
  std::printf("answering %d\n", count);

  const auto stop = Steady::now();
  std::vector<std::string> ids;
  for (const auto& running : all) ids.push_back(running.id);
  sandbox::Freezer freezer(house.options);
  for (const auto& id : ids) freezer.kill(id);
  for (const auto& id : ids) house.spawner->remove(id);
  std::printf("stop_ms %f\n", milliseconds_since(stop));
  return 0;
}

int measure_freezing(int runs) {
  House house(3);
  sandbox::Freezer freezer(house.options);
  const auto spec = house.spec({"python3", "-m", "http.server", "5000"});
  const auto running = house.start(spec);
  await_first_byte(running.address, 5000);
  for (int run = 0; run < runs; ++run) {
    if (!freezer.freeze(spec.id)) return 1;
    usleep(20'000);
    const auto start = Steady::now();
    freezer.thaw(spec.id);
    await_first_byte(running.address, 5000);
    std::printf("%f\n", milliseconds_since(start));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto number = [&](int at) { return static_cast<std::size_t>(std::atoi(argv[at])); };
  if (what == "peer" && argc > 7) return measure_peer(argv + 2);
  if (what == "start" && argc > 4) return measure_starts(std::atoi(argv[2]), number(3), argv[4]);
  if (what == "alone" && argc > 3) return measure_alone(std::atoi(argv[2]), argv[3]);
  if (what == "crowd" && argc > 4) return measure_crowd(std::atoi(argv[2]), number(3), argv[4]);
  if (what == "freeze" && argc > 2) return measure_freezing(std::atoi(argv[2]));
  std::fprintf(stderr, "usage: see the head of bench/dynos_driver.cpp\n");
  return 64;
}

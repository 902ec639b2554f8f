#include "sandbox/testing/sandbox_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <utility>

#include "base/id.h"
#include "base/random.h"
#include "os/file.h"
#include "os/process.h"
#include "sandbox/run_directory.h"

namespace renga::sandbox {

void SandboxTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  if (const auto why = Spawner::unsupported()) GTEST_SKIP() << *why;
  ASSERT_EQ(setenv("RENGA_HOLDERS", std::to_string(holders).c_str(), 1), 0);
  server_name = "test" + random_hex(4);
  auto pattern = (std::filesystem::temp_directory_path() / "renga-sandbox-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  directory = pattern;
  spawner.emplace(options());
}

void SandboxTest::TearDown() {
  if (!spawner) return;
  for (const auto& id : spawner->ids()) spawner->remove(id);
  spawner->leave_host();
  spawner.reset();
  const auto parent = os::open_file(directory.parent_path(), O_RDONLY | O_DIRECTORY);
  // The spawner's remover may be at work on the same files.
  EXPECT_TRUE(eventually([&] {
    try {
      os::remove_tree(parent.get(), directory.filename().string());
    } catch (const std::system_error&) {
      return false;
    }
    return !std::filesystem::exists(directory);
  }));
}

SpawnerOptions SandboxTest::options() const {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  return {self, self.parent_path() / "renga-init", directory / "run", server_name};
}

std::size_t SandboxTest::waiting_holders() const {
  return RunDirectory(directory / "run").held().size();
}

void SandboxTest::wait_for_holders() {
  // The number of them does not say it: the last ones may yet be made an app's own.
  std::size_t before = 0;
  ASSERT_TRUE(eventually([&] {
    const auto now = waiting_holders();
    poll(nullptr, 0, 150);
    return now > 0 && std::exchange(before, now) == now;
  }));
}

Spec SandboxTest::script(const std::string& text) const {
  Spec spec;
  spec.id = new_uuid();
  spec.name = "web.1";
  spec.stack = "host";
  spec.uid_base = 200'000;
  spec.argv = {"/bin/sh", "-c", text};
  spec.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/app"}};
  return spec;
}

Spec SandboxTest::python(const std::string& program) const {
  auto spec = script("");
  spec.argv = {"python3", "-c", program};
  return spec;
}

std::string read_to_end(int fd) {
  std::string text;
  char buffer[4096];
  while (true) {
    pollfd ready{fd, POLLIN, 0};
    if (poll(&ready, 1, 30'000) <= 0) return text + "<no end>";
    const auto count = read(fd, buffer, sizeof buffer);
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

bool SandboxTest::wait_for_end(Spawner& of, const Running& running) {
  const auto watched = of.watch(running);
  pollfd ended{watched.get(), POLLIN, 0};
  return !watched || poll(&ended, 1, 30'000) == 1;
}

SandboxTest::Ran SandboxTest::run(const Spec& spec) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {"<no pipe>", {}};
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  const auto running = spawner->start(spec, out.get());
  out.close();
  if (!running) return {running.error().message, {}};
  Ran ran;
  ran.output = read_to_end(in.get());
  EXPECT_TRUE(wait_for_end(*spawner, *running));
  ran.exit = spawner->exit_of(spec.id);
  spawner->remove(spec.id);
  return ran;
}

std::vector<std::string> SandboxTest::left_on_host() const {
  std::vector<std::string> left;
  std::error_code none;
  for (const auto& path : {"memory", "cpu", "pids", "unified", "."}) {
    const auto groups = "/sys/fs/cgroup/" + std::string(path) + "/renga-" + server_name;
    for (const auto& entry : std::filesystem::directory_iterator(groups, none))
      if (entry.is_directory()) left.push_back(entry.path());
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory / "run", none))
    left.push_back(entry.path());
  const auto mounts = os::read_file("/proc/self/mountinfo").value_or("");
  if (mounts.find(directory.string()) != std::string::npos) left.push_back("a mount");
  return left;
}

bool SandboxTest::eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    poll(nullptr, 0, 10);
  }
  return true;
}

}  // namespace renga::sandbox

// A machine's sandboxes that exist only in memory. It outlives the engines that are tested on it,
// and can kill control (throw Killed) at the nth step that control takes, before or after the step
// has its effect.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dynos/engines/local/sandboxes.h"

namespace renga::dynos {

// kill -9 of control. Not a std::exception, so that nobody catches it.
struct Killed {};

class FakeSandboxes final : public Sandboxes {
 public:
  struct Sandbox {
    sandbox::Spec spec;
    sandbox::Running running;
    bool alive = true;
    bool listening = true;
    bool ignores_sigterm = false;
    bool frozen = false;
    std::optional<sandbox::Exit> exit;
    std::int64_t memory = 0;
    std::int64_t memory_kills = 0;
    int wants_memory = -1;  // an eventfd of who listens
    int runnable = 0;
    std::int64_t cpu_micros = 0;
    std::vector<int> signals;
  };

  // Counts one step of control.
  void step() {
    ++steps;
    if (kill_at != 0 && steps == kill_at) throw Killed();
  }

  Result<sandbox::Running> start(const sandbox::Spec& spec, Streams = {}) override {
    step();
    if (!refuse_start.empty()) return fail(Kind::unavailable, refuse_start);
    if (sandboxes.contains(spec.id))
      throw std::logic_error("a sandbox was started twice: " + spec.name);
    Sandbox made;
    made.spec = spec;
    made.listening = listen_at_once;
    made.running = {spec.id, ++last_pid, 1, "100.64.0." + std::to_string(last_pid % 250)};
    sandboxes[spec.id] = made;
    ++starts[spec.id];
    step();
    return made.running;
  }
  Result<os::Fd> exec(const sandbox::Exec& exec, int, int) override {
    execs.push_back(exec);
    return os::Fd();
  }
  std::vector<sandbox::Exec> execs;
  std::vector<sandbox::Running> running() override {
    std::vector<sandbox::Running> all;
    for (const auto& [id, sandbox] : sandboxes)
      if (sandbox.alive) all.push_back(sandbox.running);
    return all;
  }
  std::vector<std::string> ids() override {
    std::vector<std::string> all;
    for (const auto& [id, sandbox] : sandboxes) all.push_back(id);
    return all;
  }
  void signal(const std::string& id, int signal) override {
    step();
    const auto found = sandboxes.find(id);
    if (found != sandboxes.end() && found->second.alive) {
      found->second.signals.push_back(signal);
      if (!found->second.ignores_sigterm && !found->second.frozen) end(id, 128 + signal);
    }
    step();
  }
  bool freeze(const std::string& id) override {
    step();
    if (sandboxes.contains(id)) sandboxes.at(id).frozen = true;
    step();
    return true;
  }
  void thaw(const std::string& id) override {
    step();
    if (sandboxes.contains(id)) sandboxes.at(id).frozen = false;
    step();
  }
  void kill(const std::string& id) override {
    step();
    end(id, std::nullopt);
    step();
  }
  void remove(const std::string& id) override {
    step();
    end(id, std::nullopt);
    sandboxes.erase(id);
    step();
  }
  os::Fd watch(const sandbox::Running& running) override {
    const auto found = sandboxes.find(running.id);
    if (found == sandboxes.end() || !found->second.alive) return os::Fd();
    return os::Fd(::eventfd(0, EFD_CLOEXEC));
  }
  std::optional<sandbox::Exit> exit_of(const std::string& id) override {
    const auto found = sandboxes.find(id);
    return found == sandboxes.end() ? std::nullopt : found->second.exit;
  }
  std::optional<sandbox::Spawner::Memory> memory(const std::string& id) override {
    const auto found = sandboxes.find(id);
    if (found == sandboxes.end()) return std::nullopt;
    return sandbox::Spawner::Memory{found->second.memory, found->second.memory_kills};
  }
  std::optional<sandbox::Usage> usage(const std::string& id) override {
    const auto found = sandboxes.find(id);
    if (found == sandboxes.end()) return std::nullopt;
    sandbox::Usage usage;
    usage.rss_bytes = found->second.memory;
    usage.runnable_tasks = found->second.runnable;
    usage.cpu_micros = found->second.cpu_micros;
    return usage;
  }
  sandbox::MemoryEvents memory_events(const std::string& id) override {
    sandbox::MemoryEvents events{os::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), POLLIN};
    const auto found = sandboxes.find(id);
    if (found != sandboxes.end()) found->second.wants_memory = events.fd.get();
    return events;
  }

  // What happens inside. No status: it was killed and left no word.
  void end(const std::string& id, std::optional<int> status) {
    const auto found = sandboxes.find(id);
    if (found == sandboxes.end() || !found->second.alive) return;
    found->second.alive = false;
    if (status) found->second.exit = sandbox::Exit{*status, *status > 128 ? *status - 128 : 0};
  }
  // The machine goes down and comes back.
  void lose_all() {
    for (auto& [id, sandbox] : sandboxes) end(id, std::nullopt);
  }

  // "web.1@v3" of all that live, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [id, sandbox] : sandboxes)
      if (sandbox.alive) all.push_back(label(sandbox));
    std::ranges::sort(all);
    return all;
  }
  Sandbox& named(const std::string& name) {
    for (auto& [id, sandbox] : sandboxes)
      if (sandbox.alive && label(sandbox) == name) return sandbox;
    throw std::out_of_range("no sandbox " + name);
  }
  static std::string label(const Sandbox& sandbox) {
    const auto version = sandbox.spec.env.find("HEROKU_RELEASE_VERSION");
    return sandbox.spec.name + "@" + (version == sandbox.spec.env.end() ? "" : version->second);
  }

  std::map<std::string, Sandbox> sandboxes;
  std::map<std::string, int> starts;  // by id
  std::string refuse_start;
  bool listen_at_once = true;
  int steps = 0;
  int kill_at = 0;

 private:
  int last_pid = 100;
};

}  // namespace renga::dynos

// Sandboxes: what engines/local needs of the spawner, as a seam, so that a control that dies
// between any two steps can be played through in tests. Semantics are sandbox/spawner.h's; calls
// block. Belongs to the engine's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/freezer.h"
#include "sandbox/spawner.h"

namespace renga::dynos {

// Descriptors that become a sandbox's standard streams, instead of nothing and the log.
struct Streams {
  std::optional<int> input = {};
  std::optional<int> output = {};
};

class Sandboxes {
 public:
  virtual ~Sandboxes() = default;
  virtual Result<sandbox::Running> start(const sandbox::Spec& spec, Streams streams) = 0;
  virtual Result<os::Fd> exec(const sandbox::Exec& exec, int input, int output) = 0;
  virtual std::vector<sandbox::Running> running() = 0;
  virtual std::vector<std::string> ids() = 0;
  virtual void signal(const std::string& id, int signal) = 0;
  // False where the kernel cannot.
  virtual bool freeze(const std::string& id) = 0;
  virtual void thaw(const std::string& id) = 0;
  virtual void kill(const std::string& id) = 0;
  virtual void begin_to_kill(const std::string&) {}  // of many, before they are removed
  virtual void remove(const std::string& id) = 0;
  // Closed (negative) when it is already gone.
  virtual os::Fd watch(const sandbox::Running& running) = 0;
  virtual std::optional<sandbox::Exit> exit_of(const std::string& id) = 0;
  virtual std::optional<sandbox::Spawner::Memory> memory(const std::string& id) = 0;
  virtual std::optional<sandbox::Usage> usage(const std::string& id) = 0;
  virtual sandbox::MemoryEvents memory_events(const std::string& id) = 0;
};

// `freezer`: none: nothing can be frozen.
std::unique_ptr<Sandboxes> sandboxes_of(sandbox::Spawner& spawner, sandbox::Freezer* freezer);

}  // namespace renga::dynos

#include "dynos/engines/local/sandboxes.h"

namespace renga::dynos {
namespace {

class SpawnedSandboxes final : public Sandboxes {
 public:
  SpawnedSandboxes(sandbox::Spawner& spawner, sandbox::Freezer* freezer)
      : spawner_(spawner), freezer_(freezer) {}

  Result<sandbox::Running> start(const sandbox::Spec& spec, Streams streams) override {
    return spawner_.start(spec, streams.output, streams.input);
  }
  Result<os::Fd> exec(const sandbox::Exec& exec, int input, int output) override {
    return spawner_.exec(exec, input, output);
  }
  std::vector<sandbox::Running> running() override { return spawner_.running(); }
  std::vector<std::string> ids() override { return spawner_.ids(); }
  void signal(const std::string& id, int signal) override { spawner_.signal(id, signal); }
  bool freeze(const std::string& id) override {
    return freezer_ != nullptr && freezer_->freeze(id);
  }
  void thaw(const std::string& id) override {
    if (freezer_ != nullptr) freezer_->thaw(id);
  }
  void kill(const std::string& id) override { spawner_.kill(id); }
  void begin_to_kill(const std::string& id) override {
    if (freezer_ != nullptr) freezer_->kill(id);
  }
  void remove(const std::string& id) override { spawner_.remove(id); }
  os::Fd watch(const sandbox::Running& running) override { return spawner_.watch(running); }
  std::optional<sandbox::Exit> exit_of(const std::string& id) override {
    return spawner_.exit_of(id);
  }
  std::optional<sandbox::Spawner::Memory> memory(const std::string& id) override {
    return spawner_.memory(id);
  }
  std::optional<sandbox::Usage> usage(const std::string& id) override {
    return freezer_ == nullptr ? std::nullopt : freezer_->usage(id);
  }
  sandbox::MemoryEvents memory_events(const std::string& id) override {
    return freezer_ == nullptr ? sandbox::MemoryEvents() : freezer_->memory_events(id);
  }

 private:
  sandbox::Spawner& spawner_;
  sandbox::Freezer* freezer_;
};

}  // namespace

std::unique_ptr<Sandboxes> sandboxes_of(sandbox::Spawner& spawner, sandbox::Freezer* freezer) {
  return std::make_unique<SpawnedSandboxes>(spawner, freezer);
}

}  // namespace renga::dynos

#include "sandbox/freezer.h"

#include "os/cgroup.h"
#include "sandbox/cgroups.h"
#include "sandbox/run_directory.h"
#include "sandbox/spawner.h"
#include "sandbox/written.h"

namespace renga::sandbox {

struct Freezer::State {
  std::filesystem::path directory;
  Cgroups cgroups;
  RunDirectory run_directory;

  bool set(const std::string& id, bool frozen) {
    if (!run_directory.running(id)) return true;
    return cgroups.freeze(run_directory.place_of(id), frozen);
  }
};

Freezer::Freezer(const SpawnerOptions& options) {
  const auto directory = std::filesystem::absolute(options.run_directory).lexically_normal();
  state_.reset(new State{directory, Cgroups(os::CgroupTrees::find(), options.server_name),
                         RunDirectory(directory)});
}

Freezer::~Freezer() = default;

bool Freezer::freeze(const std::string& id) { return state_->set(id, true); }
bool Freezer::thaw(const std::string& id) { return state_->set(id, false); }

void Freezer::kill(const std::string& id) {
  state_->cgroups.kill(state_->run_directory.place_of(id));
}

std::optional<Usage> Freezer::usage(const std::string& id) const {
  return state_->cgroups.usage(state_->run_directory.place_of(id));
}

MemoryEvents Freezer::memory_events(const std::string& id) const {
  return state_->cgroups.memory_events(state_->run_directory.place_of(id));
}

std::int64_t Freezer::written(const std::string& id, std::int64_t enough) const {
  const auto place = state_->run_directory.place_of(id);
  return sandbox::written(
      state_->run_directory.upper_of(id), state_->cgroups.processes(place),
      [&](pid_t pid) { return state_->cgroups.holds(place, pid); }, enough);
}

bool Freezer::removing() const { return !state_->run_directory.hidden().empty(); }

std::filesystem::path Freezer::directory() const { return state_->directory; }

}  // namespace renga::sandbox

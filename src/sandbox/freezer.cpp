#include "sandbox/freezer.h"

#include "os/cgroup.h"
#include "sandbox/cgroups.h"
#include "sandbox/run_directory.h"
#include "sandbox/spawner.h"

namespace renga::sandbox {

struct Freezer::State {
  Cgroups cgroups;
  RunDirectory run_directory;

  bool set(const std::string& id, bool frozen) {
    if (!run_directory.running(id)) return true;
    return cgroups.freeze(run_directory.place_of(id), frozen);
  }
};

Freezer::Freezer(const SpawnerOptions& options)
    : state_(new State{
          Cgroups(os::CgroupTrees::find(), options.server_name),
          RunDirectory(std::filesystem::absolute(options.run_directory).lexically_normal())}) {}

Freezer::~Freezer() = default;

bool Freezer::freeze(const std::string& id) { return state_->set(id, true); }
bool Freezer::thaw(const std::string& id) { return state_->set(id, false); }

void Freezer::kill(const std::string& id) {
  state_->cgroups.kill(state_->run_directory.place_of(id));
}

std::optional<Usage> Freezer::usage(const std::string& id) const {
  return state_->cgroups.usage(state_->run_directory.place_of(id));
}

}  // namespace renga::sandbox

// Runs one command in a sandbox and passes its output on, until it ends, takes too long, or is
// called off. Private to this room; blocks the calling thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sandbox/spawner.h"

namespace renga::builds {

struct SandboxRun {
  enum class End { exited, timed_out, called_off, disk_full };
  End end = End::exited;
  int status = 0;  // exit status, or 128 + signal; -1 when it left no word
  bool out_of_memory = false;
};

struct SandboxLimits {
  std::chrono::seconds time{};
  int called_off = -1;  // a descriptor that becomes readable when the run is to stop
  // Its file system may not be filled: the run is stopped while there is still room for everybody
  // else. Empty: not looked at.
  std::filesystem::path writes_to = {};
};

// Nothing is left of the sandbox when this returns. Kind::unavailable: it could not be started, and
// why.
Result<SandboxRun> run_in_sandbox(sandbox::Spawner& spawner, Clock& clock,
                                  const sandbox::Spec& spec, const SandboxLimits& limits,
                                  const std::function<void(std::string_view)>& output);

}  // namespace renga::builds

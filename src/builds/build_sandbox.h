// Runs one command in a sandbox and passes its output on, until it ends, takes too long, or is
// called off. Private to this room; blocks the calling thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "sandbox/spawner.h"

namespace renga::builds {

struct SandboxRun {
  enum class End { exited, timed_out, called_off, disk_full, wrote_too_much };
  End end = End::exited;
  int status = 0;  // exit status, or 128 + signal; -1 when it left no word
  bool out_of_memory = false;
};

struct SandboxLimits {
  std::chrono::seconds time{};
  int called_off = -1;  // a descriptor that becomes readable when the run is to stop
  // The directory in which is all that it writes to the disk, and how many bytes it may take. Nor
  // may its file system be filled: the run is stopped while there is room for everybody else.
  std::filesystem::path writes_to;
  std::int64_t disk = 0;
};

// Nothing is left of the sandbox when this returns. Kind::unavailable: it could not be started, and
// why.
Result<SandboxRun> run_in_sandbox(sandbox::Spawner& spawner, Clock& clock,
                                  const sandbox::Spec& spec, const SandboxLimits& limits,
                                  const std::function<void(std::string_view)>& output);

}  // namespace renga::builds

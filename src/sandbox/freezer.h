// Freezer: stops sandboxes where they are, lets them go on, and tells what they use. Control's
// side; it asks the kernel alone and not the spawner. Safe from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "os/fd.h"

namespace renga::sandbox {

struct SpawnerOptions;

struct Usage {
  std::int64_t rss_bytes = 0, cache_bytes = 0, swap_bytes = 0;
  std::int64_t pages_in = 0, pages_out = 0;  // ever
  int runnable_tasks = 0;                    // threads that run or want to, now
  std::int64_t cpu_micros = 0;               // ever, on all CPUs together
};

// Where the kernel tells that a sandbox wants more memory than it may have, or that it had to kill
// in it for that. Ready for `events` of poll(2) when it happens; reading makes it wait for the
// next.
struct MemoryEvents {
  os::Fd fd;
  short events = 0;
};

class Freezer {
 public:
  // Of the same sandboxes as a Spawner with these options.
  explicit Freezer(const SpawnerOptions& options);
  ~Freezer();
  Freezer(const Freezer&) = delete;
  Freezer& operator=(const Freezer&) = delete;

  // What is frozen keeps its memory and its sockets; of signals only SIGKILL reaches it. False
  // where the kernel cannot; no-op when it is gone.
  bool freeze(const std::string& id);
  bool thaw(const std::string& id);
  // SIGKILL to everything inside, where the kernel can do it at once, without waiting for the end:
  // before many are removed.
  void kill(const std::string& id);
  std::optional<Usage> usage(const std::string& id) const;
  // No descriptor: it is gone, or this kernel does not tell.
  MemoryEvents memory_events(const std::string& id) const;
  // What it has on the disk, in bytes; counting stops past `enough`. See written.h.
  std::int64_t written(const std::string& id, std::int64_t enough) const;
  // Whether what a sandbox had there is still being removed.
  bool removing() const;
  // Where on the disk that is, of all sandboxes.
  std::filesystem::path directory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::sandbox

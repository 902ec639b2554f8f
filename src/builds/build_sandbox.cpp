#include "builds/build_sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "base/fault.h"
#include "builds/full_disk.h"
#include "os/disk_use.h"

namespace renga::builds {
namespace {

using namespace std::chrono_literals;

// Waits are cut into slices, so that the limit follows the clock that was handed in.
constexpr int slice = 200;  // ms
constexpr auto last_words = 1s;

// The sandbox is gone when the owner is, however the run ended.
class Owned {
 public:
  Owned(sandbox::Spawner& spawner, const std::string& id) : spawner_(spawner), id_(id) {}
  ~Owned() {
    // A spawner that cannot be reached now is asked again by the next start of control.
    try {
      spawner_.remove(id_);
    } catch (const std::exception&) {
    }
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

 private:
  sandbox::Spawner& spawner_;
  const std::string& id_;
};

// Passes on what is there; false at the end.
bool pass_on(os::Fd& from, const std::function<void(std::string_view)>& output) {
  std::array<char, 65536> buffer;
  for (;;) {
    const auto count = read(from.get(), buffer.data(), buffer.size());
    if (count > 0) {
      output({buffer.data(), static_cast<std::size_t>(count)});
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return true;
    return false;
  }
}

}  // namespace

Result<SandboxRun> run_in_sandbox(sandbox::Spawner& spawner, Clock& clock,
                                  const sandbox::Spec& spec, const SandboxLimits& limits,
                                  const std::function<void(std::string_view)>& output) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fault("make a pipe for a build");
  os::Fd from(ends[0]), into(ends[1]);
  if (fcntl(from.get(), F_SETFL, O_NONBLOCK) != 0) fault("make a build's pipe non-blocking");

  const Owned owned(spawner, spec.id);
  const auto deadline = clock.steady() + limits.time;
  const auto running = TRY(spawner.start(spec, into.get()));
  into.close();
  const auto ended = spawner.watch(running);

  SandboxRun run;
  os::DiskWatch disk(limits.writes_to, limits.disk);
  bool open = true;
  while (ended) {
    pollfd waits[] = {{ended.get(), POLLIN, 0},
                      {limits.called_off, POLLIN, 0},
                      {open ? from.get() : -1, POLLIN, 0}};
    if (poll(waits, 3, slice) < 0 && errno != EINTR) fault("wait for a build");
    if (waits[2].revents != 0) open = pass_on(from, output);
    if (waits[0].revents != 0) break;
    if (waits[1].revents != 0)
      run.end = SandboxRun::End::called_off;
    else if (clock.steady() >= deadline)
      run.end = SandboxRun::End::timed_out;
    else if (nearly_full(limits.writes_to))
      run.end = SandboxRun::End::disk_full;
    else if (disk.over())
      run.end = SandboxRun::End::wrote_too_much;
    else
      continue;
    spawner.kill(spec.id);
    break;
  }

  // What is still in the pipe. Nobody writes any more, but a descriptor may have been kept open
  // somewhere.
  const auto give_up = std::chrono::steady_clock::now() + last_words;
  while (open && std::chrono::steady_clock::now() < give_up) {
    pollfd more{from.get(), POLLIN, 0};
    if (poll(&more, 1, slice) > 0) open = pass_on(from, output);
  }
  if (const auto memory = spawner.memory(spec.id))
    run.out_of_memory = memory->out_of_memory_kills > 0;
  const auto exit = spawner.exit_of(spec.id);
  run.status = exit ? exit->status : -1;
  return run;
}

}  // namespace renga::builds

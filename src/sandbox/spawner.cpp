#include "sandbox/spawner.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <system_error>

#include "base/fault.h"
#include "base/id.h"
#include "base/text.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/namespaces.h"
#include "os/process.h"
#include "sandbox/cgroups.h"
#include "sandbox/channel.h"
#include "sandbox/records.h"
#include "sandbox/run_directory.h"
#include "sandbox/spec_message.h"

namespace renga::sandbox {
namespace {

using Steady = std::chrono::steady_clock;

// The first call waits for the host's firewall as well (Network), which has a minute.
constexpr std::chrono::seconds call_limit{90};
constexpr std::chrono::seconds end_limit{30};

bool is_older_than(long major, long minor) {
  utsname kernel{};
  if (::uname(&kernel) != 0) fault("ask for the kernel's version");
  char* rest = nullptr;
  const long own_major = std::strtol(kernel.release, &rest, 10);
  const long own_minor = *rest == '.' ? std::strtol(rest + 1, nullptr, 10) : 0;
  return std::pair(own_major, own_minor) < std::pair(major, minor);
}

void pause_for(std::chrono::milliseconds duration) {
  poll(nullptr, 0, static_cast<int>(duration.count()));
}

std::string request_for(std::string_view verb, const std::string& id) {
  std::string request;
  add_record(request, 'v', verb);
  add_record(request, 'i', id);
  return request;
}

Error error_in(std::string_view bytes) {
  const auto [kind, message] = text::split_once(bytes, ' ');
  const auto number = text::number(kind).value_or(static_cast<int>(Kind::unavailable));
  return {static_cast<Kind>(number), std::string(message)};
}

bool found_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (const auto directory : text::split(path == nullptr ? "/usr/sbin:/usr/bin" : path, ':'))
    if (access((std::string(directory) + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace

struct Spawner::State {
  explicit State(SpawnerOptions given)
      : options(std::move(given)),
        cgroups(os::CgroupTrees::find(), options.server_name),
        run_directory(options.run_directory) {}

  // The same for what may be asked twice, so that a spawner that dies meanwhile is nobody's
  // trouble.
  Result<std::string> call_until_answered(const std::string& request) {
    try {
      return call(request);
    } catch (const std::system_error& error) {
      if (error.code().value() != EPIPE) throw;
      return call(request);
    }
  }

  // One request and its answer, with the spawner started when it is not there. What it asked for,
  // or why not.
  Result<std::string> call(const std::string& request, const std::vector<int>& descriptors = {}) {
    const std::scoped_lock turn(mutex);
    if (!process || process->wait_for({})) start_program();
    try {
      channel->send(request, descriptors);
      const auto answer = channel->receive(call_limit);
      if (!answer) fault(EPIPE, "ask the spawner, which died");
      std::string_view text = answer->bytes;
      Record record;
      if (!next_record(text, record)) fault(EPROTO, "understand the spawner");
      if (record.tag == 'x') return std::unexpected(error_in(record.bytes));
      return std::string(record.bytes);
    } catch (const std::system_error&) {
      // In whatever state it is: the next call starts another.
      channel.reset();
      process.reset();
      throw;
    }
  }

  // Until then an earlier control's spawner may still be at that control's last request: what the
  // run directory says is not the last word.
  void settle() {
    const std::scoped_lock turn(mutex);
    if (!lock) lock = run_directory.lock(call_limit);
  }

  void start_program() {
    channel.reset();
    process.reset();
    if (!lock) lock = run_directory.lock(call_limit);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      fault("make the spawner's socket");
    os::Fd ours(ends[0]);
    const os::Fd theirs(ends[1]);
    const auto null = os::open_file("/dev/null", O_RDWR);
    // Of our environment only what it needs: the rest may hold secrets.
    os::Command command{
        .argv = {options.program.string(), "spawner", "--init", options.init_program.string(),
                 "--run-directory", options.run_directory.string(), "--server-name",
                 options.server_name, "--purpose",
                 options.purpose == Purpose::services ? "services" : "dynos"},
        .clear_env = true,
        .directory = "/",
        .own_group = true};
    for (const char* name :
         {"PATH", "RENGA_ALLOW_PRIVATE", "RENGA_HOLDERS", "ASAN_OPTIONS", "TSAN_OPTIONS"})
      if (const char* value = std::getenv(name)) command.env[name] = value;
    // Or each holder, which is a fork of it, would look up for itself what it calls.
    command.env["LD_BIND_NOW"] = "1";
    const int out = fcntl(2, F_GETFD) >= 0 ? 2 : null.get();
    process.emplace(
        command,
        os::Child::Streams{
            .in = null.get(), .out = out, .err = out, .extra = {theirs.get(), lock.get()}});
    channel.emplace(std::move(ours));
  }

  void stop_program() {
    const std::scoped_lock turn(mutex);
    channel.reset();
    // It ends when its socket closes; the destructor of Child sees to one that does not.
    if (process) process->wait_for(std::chrono::seconds(5));
    process.reset();
  }

  const SpawnerOptions options;
  std::vector<pid_t> processes(const std::string& id) const {
    return cgroups.processes(run_directory.place_of(id));
  }

  const Cgroups cgroups;
  const RunDirectory run_directory;

  std::mutex mutex;  // one call at a time; guards what follows
  os::Fd lock;       // of the run directory
  std::optional<os::Child> process;
  std::optional<Channel> channel;
};

Spawner::Spawner(SpawnerOptions options) {
  options.run_directory = std::filesystem::absolute(options.run_directory).lexically_normal();
  options.program = std::filesystem::absolute(options.program);
  options.init_program = std::filesystem::absolute(options.init_program);
  state_ = std::make_unique<State>(std::move(options));
}

Spawner::~Spawner() { state_->stop_program(); }

std::optional<std::string> Spawner::unsupported() {
  if (geteuid() != 0)
    return "Dynos are isolated with namespaces, mounts and control groups, which only root may "
           "make. "
           "Run `renga server` as root, or without isolation.";
  // The kernel loads what is asked for and not there yet.
  if (!os::has_file_system("overlay"))
    return "This kernel has no overlay file system. Is its module there (`modprobe overlay`)?";
  if (!found_in_path("nft"))
    return "The program nft is missing. Install it with `apt-get install nftables`.";
  if (access("/proc/self/ns/user", F_OK) != 0 || access("/proc/self/ns/cgroup", F_OK) != 0)
    return "This kernel has no user or control group namespaces; Linux 5.19 or later with both is "
           "needed.";
  if (is_older_than(5, 19))
    return "This kernel makes no overlay of an idmapped mount; Linux 5.19 or later is needed.";
  return Cgroups::unsupported(os::CgroupTrees::find());
}

Result<Running> Spawner::start(const Spec& spec, std::optional<int> output_fd,
                               std::optional<int> input_fd) {
  TRY(check(spec));
  std::string request;
  std::vector<int> descriptors;
  add_record(request, 'v', "start");
  if (output_fd) {
    add_record(request, 'o', {});
    descriptors.push_back(*output_fd);
  }
  if (input_fd) {
    add_record(request, 'i', {});
    descriptors.push_back(*input_fd);
  }
  add_record(request, 'S', pack(spec));
  if (request.size() > longest_message)
    return fail(Kind::too_large,
                "The command and config vars of " + spec.name + " are together larger than 1 MiB.");
  const auto answer = TRY(state_->call(request, descriptors));
  const auto fields = text::split(answer, ' ');
  const auto pid = fields.size() == 3 ? text::number(fields[0]) : std::nullopt;
  const auto started = fields.size() == 3 ? text::number(fields[1]) : std::nullopt;
  if (!pid || !started) fault(EPROTO, "understand the spawner");
  return Running{spec.id, static_cast<int>(*pid), static_cast<std::uint64_t>(*started),
                 std::string(fields[2])};
}

Result<os::Fd> Spawner::exec(const Exec& exec, int input_fd, int output_fd) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fault("make a leash");
  os::Fd ours(ends[0]);
  const os::Fd theirs(ends[1]);
  std::string request;
  add_record(request, 'v', "exec");
  add_record(request, 'S', pack(exec));
  if (request.size() > longest_message)
    return fail(Kind::too_large, "The command and config vars are together larger than 1 MiB.");
  TRY(state_->call(request, {input_fd, output_fd, theirs.get()}));
  return ours;
}

std::vector<Running> Spawner::running() {
  state_->settle();
  std::vector<Running> result;
  for (const auto& id : state_->run_directory.ids())
    if (auto found = state_->run_directory.running(id)) result.push_back(std::move(*found));
  return result;
}

std::vector<std::string> Spawner::ids() {
  state_->settle();
  return state_->run_directory.ids();
}

std::string Spawner::free_address() {
  std::string request;
  add_record(request, 'v', "address");
  const auto answer = state_->call(request);
  if (!answer) fault(EIO, answer.error().message);
  return *answer;
}

void Spawner::signal(const std::string& id, int number) {
  if (!state_->run_directory.running(id)) return;
  auto request = request_for("signal", id);
  add_record(request, 'n', std::to_string(number));
  if (const auto answer = state_->call(request); !answer) fault(EIO, answer.error().message);
}

void Spawner::kill(const std::string& id) {
  const auto found = state_->run_directory.running(id);
  if (!found && state_->processes(id).empty()) return;
  const auto deadline = Steady::now() + end_limit;
  if (const auto answer = state_->call_until_answered(request_for("kill", id)); !answer)
    fault(EIO, answer.error().message);
  if (found) {
    pollfd ended{-1, POLLIN, 0};
    const auto watched = watch(*found);
    ended.fd = watched.get();
    if (watched) poll(&ended, 1, static_cast<int>(std::chrono::milliseconds(end_limit).count()));
  }
  while (!state_->processes(id).empty()) {
    if (Steady::now() > deadline)
      fault(ETIMEDOUT, "kill sandbox " + id + ": the kernel does not let go of its processes");
    pause_for(std::chrono::milliseconds(2));
  }
}

void Spawner::remove(const std::string& id) {
  if (!is_uuid(id)) fault(EINVAL, "remove a sandbox whose id is no UUID");
  kill(id);
  const auto deadline = Steady::now() + end_limit;
  while (true) {
    const auto answer = state_->call_until_answered(request_for("remove", id));
    if (!answer) fault(EIO, answer.error().message);
    if (answer->empty()) return;
    if (Steady::now() > deadline)
      fault(ETIMEDOUT, "remove sandbox " + id + ": its control groups stay busy");
    pause_for(std::chrono::milliseconds(5));
  }
}

void Spawner::leave_host() {
  std::string request;
  add_record(request, 'v', "leave");
  const auto answer = state_->call_until_answered(request);
  if (!answer) fault(EIO, answer.error().message);
  // It has claimed and prepared nothing any more: the next start wants a new one.
  if (answer->empty()) state_->stop_program();
}

os::Fd Spawner::watch(const Running& running) {
  os::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, running.init_pid, 0)));
  if (!pidfd && errno != ESRCH && errno != EINVAL) fault("watch sandbox " + running.id);
  if (os::start_time(running.init_pid) != running.started) pidfd.close();
  return pidfd;
}

std::optional<Exit> Spawner::exit_of(const std::string& id) {
  return state_->run_directory.exit_of(id);
}

std::optional<Spawner::Memory> Spawner::memory(const std::string& id) {
  return state_->cgroups.memory(state_->run_directory.place_of(id));
}

}  // namespace renga::sandbox

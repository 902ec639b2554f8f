#include "sandbox/starter.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/fault.h"
#include "base/report.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/namespaces.h"
#include "sandbox/descriptors.h"
#include "sandbox/init_plan.h"
#include "sandbox/joiner.h"
#include "sandbox/records.h"
#include "sandbox/root.h"
#include "sandbox/syscall_policy.h"

namespace renga::sandbox {
namespace {

constexpr int start_limit_ms = 20'000;
constexpr std::size_t most_id_maps = 64;
constexpr std::uint32_t ids = 65'536;

struct Socketpair {
  os::Fd ours, theirs;
};

Socketpair make_socketpair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fault("make a socket pair");
  return {os::Fd(ends[0]), os::Fd(ends[1])};
}

void say(const os::Fd& socket, std::string_view text) {
  if (::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0)
    fault("talk to the new sandbox");
}

// One message; empty at the end.
std::string hear(const os::Fd& socket, int limit_ms) {
  pollfd ready{socket.get(), POLLIN, 0};
  int count = 0;
  while ((count = poll(&ready, 1, limit_ms)) < 0 && errno == EINTR) continue;
  if (count == 0) fault(ETIMEDOUT, "wait for the new sandbox");
  char text[2048];
  auto size = recv(socket.get(), text, sizeof text, 0);
  // A peer that ended with something unread: that is told once, and before what it had said itself.
  if (size < 0 && errno == ECONNRESET) size = recv(socket.get(), text, sizeof text, 0);
  if (size < 0 && errno != ECONNRESET) fault("listen to the new sandbox");
  return std::string(text, size < 0 ? 0 : static_cast<std::size_t>(size));
}

// The directory of the log socket, for renga-init to connect through. renga-init is not the host's
// root, so it must be let in; a directory that it cannot pass would lose every line without a word.
os::Fd log_directory(const std::filesystem::path& socket) {
  auto directory = os::open_file(socket.parent_path(), O_PATH | O_DIRECTORY);
  struct stat info;
  if (fstat(directory.get(), &info) != 0) fault("look at " + socket.parent_path().string());
  if ((info.st_mode & S_IXOTH) == 0)
    fault(EACCES, "let sandboxes reach the log socket: " + socket.parent_path().string() +
                      " must be passable for all (mode 0711)");
  if (fstatat(directory.get(), socket.filename().c_str(), &info, 0) == 0 &&
      (info.st_mode & S_IWOTH) == 0)
    fault(EACCES, "let sandboxes reach the log socket: " + socket.string() +
                      " must be writable for all (mode 0666)");
  return directory;
}

}  // namespace

// Everything that the new process needs, made before it is cloned and so inherited by it.
struct Starter::Prepared {
  RunDirectory::Made run;
  Cgroups::Group group;
  RootPlan root;
  os::Fd plan;
  os::Fd log_directory;
  std::optional<int> output, input;
  int init = -1;
};

namespace {

std::string plan_bytes(const Spec& spec, const std::string& filter, bool direct_output) {
  namespace tag = init_plan;
  std::string plan;
  for (const auto& argument : spec.argv) add_record(plan, tag::argument, argument);
  for (const auto& [name, value] : spec.env) add_record(plan, tag::variable, name + "=" + value);
  add_record(plan, tag::working_directory, spec.working_directory);
  add_record(plan, tag::filter, filter);
  if (direct_output) {
    add_record(plan, tag::direct_output, "");
  } else if (!spec.log_socket.empty()) {
    add_record(plan, tag::log_socket, std::filesystem::path(spec.log_socket).filename().string());
    add_record(plan, tag::log_greeting, spec.id + " " + spec.log_secret + "\n");
  }
  return plan;
}

}  // namespace

Starter::Starter(const SpawnerOptions& options)
    : options_(options),
      run_directory_(options.run_directory),
      cgroups_(os::CgroupTrees::find(), options.server_name),
      network_(options.server_name, options.run_directory.string(), options.purpose),
      init_(os::sealed_copy(options.init_program)) {
  os::ensure_user_namespaces();
  const auto policy = syscall_policy();
  filter_.assign(reinterpret_cast<const char*>(policy.data()), policy.size() * sizeof policy[0]);
  run_directory_.prepare();
  cgroups_.prepare();
  network_.prepare();
  // What was being made when an earlier spawner died: nothing runs in it, and nobody was told of
  // it.
  for (const auto& id : run_directory_.ids())
    if (!std::filesystem::exists(options.run_directory / id / "state")) clean_up(id);
}

const Starter::IdMaps& Starter::id_maps(std::uint32_t uid_base) {
  if (const auto found = id_maps_.find(uid_base); found != id_maps_.end()) return found->second;
  // They cost a process each to make; mounts that use one keep it alive without this table.
  if (id_maps_.size() >= most_id_maps) id_maps_.clear();
  return id_maps_
      .emplace(uid_base, IdMaps{os::id_map(uid_base, init_plan::user), os::id_map(uid_base, ids)})
      .first->second;
}

Starter::Prepared Starter::prepare(const Spec& spec, std::optional<int> output,
                                   std::optional<int> input) {
  const auto user = spec.uid_base + init_plan::user;
  const auto& maps = id_maps(spec.uid_base);
  Prepared prepared;
  prepared.run = run_directory_.create(spec.id, user);
  prepared.group = cgroups_.create(spec.id, spec.limits);
  prepared.plan = os::memory_file("renga-plan", plan_bytes(spec, filter_, output.has_value()));
  prepared.output = output;
  prepared.input = input;
  prepared.init = init_.get();
  if (!output && !spec.log_socket.empty()) prepared.log_directory = log_directory(spec.log_socket);

  auto& root = prepared.root;
  root.host_name = spec.name;
  root.resolver_configuration = network_.resolver_configuration();
  root.memory_bytes = spec.limits.memory_bytes;
  root.tmp_bytes = spec.limits.memory_bytes;
  root.stack = stack_parts(spec.stack, maps.stack.get());
  if (spec.app_directory.empty()) {
    // What is made here belongs to the sandbox's user on disk already.
    root.app = os::clone_mount(prepared.run.upper.get(), "", {.no_suid = true, .no_dev = true});
  } else {
    const auto lower = os::clone_mount(AT_FDCWD, spec.app_directory,
                                       {.read_only = true, .user_namespace = maps.app.get()});
    root.app = os::new_overlay(lower.get(), prepared.run.upper.get(), prepared.run.work.get(),
                               {.no_suid = true, .no_dev = true});
  }
  for (const auto& mount : spec.mounts)
    root.mounts.push_back({mount.target, os::clone_mount(AT_FDCWD, mount.source,
                                                         {.read_only = !mount.writable,
                                                          .no_suid = true,
                                                          .no_dev = true,
                                                          .user_namespace = maps.app.get()})});
  return prepared;
}

namespace {

// The sandbox's first process, until it is renga-init. Whatever goes wrong is said over the socket.
[[noreturn]] void become_init(const auto& prepared, os::Fd parent) {
  try {
    parent = os::Fd(out_of_the_way(parent.get()));
    const int init = out_of_the_way(prepared.init);
    // The control groups do not wait for the id map, and take longest: on v1 a grace period of the
    // kernel.
    for (const auto& file : prepared.group.attach)
      if (write(file.get(), "0", 1) != 1) fault("join the sandbox's control groups");
    if (unshare(CLONE_NEWCGROUP) != 0) fault("make a control group namespace");
    if (hear(parent, start_limit_ms) != "mapped") _exit(1);
    if (setgroups(0, nullptr) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
      fault("become the root of the sandbox");
    setsid();
    if (sethostname(prepared.root.host_name.c_str(), prepared.root.host_name.size()) != 0)
      fault("set the sandbox's host name");
    set_sandbox_limits();

    enter_root(prepared.root, [&parent] {
      auto address = hear(parent, start_limit_ms);
      if (address.empty()) _exit(1);  // the spawner has died or given up
      return address;
    });

    const auto null = os::open_file("/dev/null", O_RDWR);
    arrange_descriptors({prepared.input.value_or(null.get()), prepared.output.value_or(null.get()),
                         prepared.output.value_or(null.get()), prepared.plan.get(),
                         prepared.run.exit_file.get(),
                         prepared.log_directory ? prepared.log_directory.get() : -1});
    char name[] = "renga-init";
    char* const argv[] = {name, nullptr};
    char* const env[] = {nullptr};
    // By descriptor: nothing in the sandbox is a path to it, and its bytes are sealed
    // (CVE-2019-5736).
    syscall(SYS_execveat, init, "", argv, env, AT_EMPTY_PATH);
    fault("execute renga-init");
  } catch (const std::exception& error) {
    const std::string text = error.what();
    ::send(parent.get(), text.data(), std::min<std::size_t>(text.size(), 2000), MSG_NOSIGNAL);
  }
  _exit(1);
}

}  // namespace

Result<Running> Starter::launch(const Spec& spec, Prepared& prepared) {
  auto pair = make_socketpair();
  const auto process = os::fork_into(
      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
      prepared.group.v2 ? prepared.group.v2.get() : -1);
  if (process.pid == 0) {
    pair.ours.close();
    become_init(prepared, std::move(pair.theirs));
  }
  pair.theirs.close();
  try {
    os::map_ids(process.pid, spec.uid_base, ids);
    say(pair.ours, "mapped");
    Running running{spec.id, process.pid, os::start_time(process.pid), {}};
    running.address = network_.join(process, spec.id, spec.address);
    run_directory_.write_state(running);
    say(pair.ours, running.address);
    // Closed by its exec, when all went well.
    if (const auto complaint = hear(pair.ours, start_limit_ms); !complaint.empty())
      return fail(Kind::unavailable, complaint);
    return running;
  } catch (const std::system_error& error) {
    syscall(SYS_pidfd_send_signal, process.pidfd.get(), SIGKILL, nullptr, 0);
    // The process may know better what is wrong than who could not talk to it.
    if (error.code().value() == EPIPE)
      if (const auto complaint = hear(pair.ours, 1000); !complaint.empty())
        return fail(Kind::unavailable, complaint);
    throw;
  }
}

Result<Running> Starter::make(const Spec& spec, std::optional<int> output,
                              std::optional<int> input) {
  try {
    auto prepared = prepare(spec, output, input);
    return launch(spec, prepared);
  } catch (const std::system_error& error) {
    return fail(Kind::unavailable, error.what());
  }
}

Result<Running> Starter::start(const Spec& spec, std::optional<int> output,
                               std::optional<int> input) {
  if (run_directory_.running(spec.id))
    return fail(Kind::conflict, "Sandbox " + spec.id + " runs already.");
  clean_up(spec.id);
  auto started = make(spec, output, input);
  if (!started) {
    clean_up(spec.id);
    started.error().message = spec.name + " cannot be started: " + started.error().message + ".";
  }
  return started;
}

void Starter::clean_up(const std::string& id) {
  kill(id);
  // The kernel lets go of a group a moment after its last process.
  for (int tries = 0; !cgroups_.remove(id); ++tries) {
    if (tries == 200) {
      report("spawner", "A control group of sandbox " + id + " is still busy; it is left.");
      break;
    }
    poll(nullptr, 0, 5);
  }
  run_directory_.hide(id);
}

Result<void> Starter::exec(const Exec& exec, int input, int output, int leash) {
  const auto running = run_directory_.running(exec.id);
  if (!running) return fail(Kind::not_found, "The dyno does not run any more.");
  Spec spec;
  spec.argv = exec.argv;
  spec.env = exec.env;
  spec.working_directory = exec.working_directory;
  auto plan = plan_bytes(spec, filter_, true);
  add_record(plan, init_plan::beside, "");
  if (exec.forward_port > 0)
    add_record(plan, init_plan::forward_port, std::to_string(exec.forward_port));
  auto joined = join_sandbox({.running = *running,
                              .group = cgroups_.open(exec.id),
                              .plan = os::memory_file("renga-plan", plan),
                              .init = init_.get(),
                              .input = input,
                              .output = output,
                              .leash = leash});
  if (!joined)
    joined.error().message = "The command cannot be run: " + joined.error().message + ".";
  return joined;
}

void Starter::signal(const std::string& id, int number) {
  const auto running = run_directory_.running(id);
  if (!running) return;
  for (const auto pid : cgroups_.processes(id)) {
    if (pid == running->init_pid) continue;
    const os::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    // Looked up again by the descriptor's holder: the pid may be another's by now.
    if (pidfd && cgroups_.holds(id, pid))
      syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);
  }
}

void Starter::kill(const std::string& id) {
  cgroups_.kill(id);
  // The end of its first process is the end of a pid namespace, whatever the kernel's age.
  const auto state = run_directory_.state(id);
  if (!state) return;
  const os::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, state->init_pid, 0)));
  if (pidfd && os::start_time(state->init_pid) == state->started)
    syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

bool Starter::remove(const std::string& id) {
  if (!cgroups_.remove(id)) return false;
  run_directory_.hide(id);
  return true;
}

bool Starter::leave() {
  for (const auto& id : run_directory_.ids())
    if (!cgroups_.processes(id).empty()) return false;
  cgroups_.leave();
  network_.leave();
  return true;
}

}  // namespace renga::sandbox
